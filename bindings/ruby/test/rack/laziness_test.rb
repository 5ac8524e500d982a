# frozen_string_literal: true

require_relative "helper"
require "tmpdir"
require_relative "../scripted_store"

# When the session is opened, and what is written.
class RackLazinessTest < RackTest
  def test_a_request_that_does_not_use_the_session_costs_nothing
    in_scripted_store do |visitor, store|
      visitor.get { |session| session["a"] = 1 }
      store.calls.clear
      response = visitor.get { |session, env| [session.options, session.loaded?, env["khufu.session"].inspect] }
      assert_empty store.calls
      assert_equal [Rack::CONTENT_TYPE], response.headers.keys - ["Content-Length"]
      assert_equal '#<Khufu::Session not opened>"]', response.body[-30..]
    end
  end

  def test_a_session_is_opened_once
    in_scripted_store do |visitor, store|
      visitor.get { |session| session["a"] = 1 }
      store.calls.clear
      visitor.get { |session, env| [session["a"], session.id, env["khufu.session"]["a"], session.exists?] }
      assert_equal [:load], store.calls.map(&:first)
    end
  end

  def test_a_session_that_is_only_read_is_not_written
    each_kind(reissue_time: nil) do |visitor|
      visitor.get { |session| session["a"] = { "b" => [1.0, nil, "x"] } }
      response = visitor.get { |session| session["a"].to_s && (session["a"] = session["a"].dup) }
      assert_empty visitor.set_cookies(response)
      assert_equal %w[Cookie private], [response["vary"], response["cache-control"]]
    end
  end

  def test_changes_of_concurrent_requests_are_kept
    visitor = in_store
    visitor.get { |session| session.update("a" => 1, "b" => 1, "c" => 1, "list" => [1]) }
    visitor.get do |session|
      session.to_hash
      visitor.get { |other| (other["b"] = 2) && (other["new"] = 1) && other.delete("c") }
      session["a"] = 2
      session["list"] << 2
    end
    assert_equal({ "a" => 2, "b" => 2, "list" => [1, 2], "new" => 1 }, visitor.contents)
  end

  def test_an_integer_is_not_a_float
    each_kind do |visitor|
      visitor.get { |session| session["n"] = [1] }
      visitor.get { |session| session["n"][0] = 1.0 }
      assert_equal "[1.0]", visitor.contents["n"].inspect
    end
  end

  private

  def in_scripted_store
    Dir.mktmpdir do |folder|
      store = ScriptedStore.new(File.join(folder, "sessions"))
      yield Visitor.new({ store: store }, inside: []), store
    end
  end
end
