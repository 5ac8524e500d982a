# frozen_string_literal: true

require_relative "helper"
require "tmpdir"
require_relative "scripted_store"

# A session that is opened when it is first used, as in the middleware.
class DeferredTest < SessionTest
  def test_it_is_opened_by_its_first_use
    session = factory.defer(cookie(%([#{Time.now.to_i},#{CREATED},{"a":1}])))
    assert_equal ["#<Khufu::Session not opened>", false, false], [session.inspect, session.opened?, session.closed?]
    assert_equal [1, true], [session["a"], session.opened?]
    assert_equal "#<Khufu::Session loaded>", session.inspect
  end

  def test_it_can_be_closed_before_it_is_used
    session = factory.defer(nil)
    session.close
    assert_predicate session, :closed?
    assert_raises(Khufu::ArgumentError) { session["a"] }
  end

  def test_if_opening_fails_the_next_use_tries_again
    Dir.mktmpdir do |folder|
      store = ScriptedStore.new(File.join(folder, "sessions"))
      factory = factory(store: store)
      session = factory.defer(sent_back(factory.open.update("a" => 1).commit))
      store.before[:load] = -> { raise "down" }
      2.times { assert_raises(Khufu::StoreError) { session["a"] } }
      assert_equal [false, false], [session.opened?, session.closed?]
      store.before.clear
      assert_equal 1, session["a"]
    end
  end
end
