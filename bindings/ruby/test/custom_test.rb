# frozen_string_literal: true

require_relative "helper"
require "forwardable"
require "tmpdir"
require_relative "scripted_store"

# Custom stores and serializers.
class CustomTest < SessionTest
  # A serializer whose payloads are the JSON text backwards.
  class Backwards
    def loads(payload) = payload.force_encoding(Encoding::UTF_8).reverse
    def dumps(json) = json.reverse
  end

  def test_a_store
    with_store do |store|
      factory = factory(store: store)
      header = begin_with(factory, "a" => "é")
      one, other = Array.new(2) { factory.open(header) }
      one["one"] = 1
      other["other"] = 2
      [one, other].each { |session| assert_empty committed(session) }
      assert_equal({ "a" => "é", "one" => 1, "other" => 2 }, factory.open(header).to_h)
      slow = factory.open(header)
      slow["late"] = 1
      factory.open(header).invalidate.commit
      assert_raises(Khufu::GoneError) { slow.commit }
      assert_equal :missing, factory.open(header).load_result
    end
  end

  def test_the_arguments_of_a_store
    with_store do |store|
      factory = factory(store: store, timeout: 100, reissue_time: 0)
      header = begin_with(factory, "a" => 1)
      session = factory.open(header, now: Time.now + 5)
      session["a"]
      session.commit
      name, key, expected, generation, record, ttl = store.calls.find { |call,| call == :save }
      assert_equal [:save, session.id, 0, 1], [name, key, expected, generation]
      assert_equal [Encoding::UTF_8, Encoding::BINARY], [key.encoding, record.encoding]
      assert_in_delta 100, ttl, 10
      touched = store.calls.find { |call,| call == :touch }
      assert_equal [:touch, key, 1, Encoding::BINARY], [*touched[..2], touched[3].encoding]
      assert_nil factory(store: store, timeout: nil).open.mark_changed.commit && store.calls.last.last
    end
  end

  def test_the_time_to_live_is_at_least_a_second
    with_store do |store|
      factory = factory(store: store, timeout: 0, regenerate_grace: 0)
      session = factory.open
      session["a"] = 1
      session.subject = "user-42"
      session.commit
      session.regenerate_id
      session.commit
      assert_equal [1.0] * 2, store.calls.filter_map { |name, *rest| rest.last if name == :save }
      assert_equal [61.0] * 2, store.calls.filter_map { |name, *rest| rest.last if name == :list }
    end
  end

  def test_no_cookie_is_sent_if_touch_finds_no_record
    with_store do |store|
      factory = factory(store: store, max_age: 3600)
      header = begin_with(factory, "a" => 1)
      current, login, logout = Array.new(3) { factory.open(header, now: Time.now + 5).tap { |session| session["a"] } }
      assert_equal 1, committed(current).length
      other = factory.open(header)
      other.regenerate_id
      other.commit
      assert_empty committed(login)
      other.invalidate.commit
      assert_empty committed(logout)
      assert_equal :missing, factory.open(header).load_result
    end
  end

  def test_a_store_that_keeps_subjects
    with_store do |store|
      factory = factory(store: store)
      headers = Array.new(2) { log_in(factory, "user-42") }
      log_in(factory, "user-43")
      assert_equal %i[list save], store.calls.map(&:first).first(2)
      user = factory.subject("user-42")
      first = factory.open(headers.first).id
      assert_includes user.sessions.map(&:id), first
      assert_equal [2, 1], [user.sessions.length, user.revoke_all(except: first)]
      assert_equal %i[loaded missing], headers.map { |header| factory.open(header).load_result }
      assert user.revoke(first)
      refute user.revoke(first)
      assert_equal %i[remove unlist load], store.calls.map(&:first).last(3)
      assert_empty factory.subject("user-42").sessions
      assert_equal 1, factory.subject("user-43").sessions.length
    end
  end

  # Another request changes the session after revoke_all has loaded it and before it removes it.
  def test_revoke_all_tries_again_after_a_conflict
    header = another = nil
    with_store(remove: -> { another.tap { another = nil }&.call }) do |store|
      factory = factory(store: store)
      header = log_in(factory, "user-42")
      another = -> { factory(store: store).open(header) { |session| (session["b"] = 2) and session.commit } }
      assert_equal 1, factory.subject("user-42").revoke_all
      assert_equal 2, store.calls.count { |name,| name == :remove }
      assert_equal :missing, factory.open(header).load_result
    end
  end

  def test_errors_of_the_subject_methods_are_the_cause
    failing = nil
    fail = ->(name) { -> { raise IOError, "no disk" if failing == name } }
    with_store(**%i[load remove list unlist members].to_h { |name| [name, fail.call(name)] }) do |store|
      factory = factory(store: store)
      header = log_in(factory, "user-42")
      user = factory.subject("user-42")
      failing = :list
      session = factory.open(header)
      session["a"] = 2
      assert_instance_of IOError, assert_raises(Khufu::StoreError) { session.commit }.cause
      %i[load remove members].each do |name|
        failing = name
        assert_instance_of IOError, assert_raises(Khufu::StoreError) { user.revoke_all }.cause
      end
      failing = :members
      assert_instance_of IOError, assert_raises(Khufu::StoreError) { factory.subject("user-42") }.cause
      failing = :unlist # a key that is still listed does no harm
      assert_equal 1, user.revoke_all
      failing = nil
      assert_empty factory.subject("user-42").sessions
    end
  end

  def test_a_store_need_not_keep_subjects
    without_subjects = Class.new do
      extend Forwardable
      def_delegators :@store, :load, :save, :touch, :remove
      def initialize(store) = @store = store
    end
    with_store do |store|
      factory = factory(store: without_subjects.new(store))
      session = factory.open
      assert_raises(Khufu::ArgumentError) { session.subject = "user-42" }
      assert_raises(Khufu::ArgumentError) { factory.subject("user-42") }
      session["a"] = 1
      assert_equal({ "a" => 1 }, factory.open(sent_back(session.commit)).to_h)
      incomplete = without_subjects.new(store).tap { |object| object.define_singleton_method(:list) { |*| } }
      assert_match(/unlist, members/, assert_raises(Khufu::OptionError) { factory(store: incomplete) }.message)
    end
  end

  def test_errors_of_a_store_are_the_cause
    header = with_store { |store| begin_with(factory(store: store), "a" => 1) }
    with_store(load: -> { raise IOError, "no disk" }) do |store|
      error = assert_raises(Khufu::StoreError) { factory(store: store).open(header) }
      assert_equal [IOError, "no disk"], [error.cause.class, error.cause.message]
      session = factory(store: store, store_on_error: :empty).open(header)
      assert_equal [:store_error, {}], [session.load_result, session.to_h]
      session["a"] = 1
      assert_raises(Khufu::Error) { session.commit }
    end
    with_store(save: -> { raise IOError, "no disk" }) do |store|
      session = factory(store: store).open
      session["a"] = 1
      2.times { assert_instance_of IOError, assert_raises(Khufu::StoreError) { session.commit }.cause }
      assert_nil assert_raises(Khufu::JSONError) { session["a"] = Object }.cause
      assert_equal({ "a" => 1 }, session.to_h)
    end
  end

  def test_invalid_results_of_a_store
    header = with_store { |store| begin_with(factory(store: store), "a" => 1) }
    { load: "text", save: :perhaps }.each do |name, answer|
      with_store do |store|
        store.define_singleton_method(name) { |*| answer }
        error = assert_raises(Khufu::StoreError) { factory(store: store).open(name == :load ? header : nil).mark_changed.commit }
        refute_nil error.cause
      end
    end
    with_store do |store|
      factory = factory(store: store)
      header = log_in(factory, "user-42")
      store.define_singleton_method(:touch) { |*| true }
      store.define_singleton_method(:remove) { |*| nil }
      reader = factory.open(header, now: Time.now + 5).tap { |session| session["a"] }
      [reader, factory.open(header).invalidate].each do |session|
        assert_instance_of KeyError, assert_raises(Khufu::StoreError) { session.commit }.cause
      end
      keys = ["no key"]
      store.define_singleton_method(:members) { |*| keys }
      assert_match(/members/, assert_raises(Khufu::StoreError) { factory.subject("user-42") }.message)
      keys = 7
      assert_instance_of NoMethodError, assert_raises(Khufu::StoreError) { factory.subject("user-42") }.cause
    end
    error = assert_raises(Khufu::OptionError) { factory(store: Object.new) }
    assert_match(/store.*load, save, touch, remove/, error.message)
    assert_match(/serializer.*loads, dumps/, assert_raises(Khufu::OptionError) { factory(serializer: Object.new) }.message)
  end

  # A commit must release Ruby's lock while it waits. Otherwise the thread inside the store could not continue.
  def test_commits_to_one_session_wait_for_each_other
    header = nil
    with_store(save: -> { sleep(0.1) if header }) do |store|
      factory = factory(store: store, store_timeout: 5)
      header = begin_with(factory, {})
      Array.new(4) do |number|
        Thread.new { factory.open(header) { |session| (session["k#{number}"] = number) and session.commit } }
      end.each { |thread| assert thread.join(10) }
      assert_equal 4, factory.open(header).length
    end
  end

  def test_a_serializer
    [{}, { type: :encrypted_cookie, secret: "0" * 64 }, { type: :store }].each do |options|
      factory = factory(**options, serializer: Backwards.new)
      assert_equal({ "a" => ["é", 1.5] }, factory.open(begin_with(factory, "a" => ["é", 1.5])).to_h)
    end
    set_cookie = committed(factory(serializer: Backwards.new).open(now: NOW).update("a" => "xyz")).first
    payload = set_cookie[/\Asession=([^;]*)/, 1].tr("-_", "+/").unpack1("m").byteslice(64..)
    assert_equal %([#{NOW},#{NOW}.0,{"a":"xyz"}]).reverse, payload.force_encoding(Encoding::UTF_8)
  end

  def test_errors_of_a_serializer
    serializer = Backwards.new
    factory = factory(serializer: serializer)
    header = begin_with(factory, "a" => 1)
    def serializer.loads(_payload) = raise(IOError, "no")
    def serializer.dumps(_json) = raise(IOError, "no")
    session = factory.open(header)
    assert_equal [:malformed, {}], [session.load_result, session.to_h]
    assert_instance_of IOError, assert_raises(Khufu::UnsupportedError) { session.mark_changed.commit }.cause
  end

  def test_an_object_is_kept_while_it_is_used
    callbacks = Khufu.const_get(:Native)::Callbacks
    GC.start
    before = callbacks.kept
    with_store do |store|
      session = factory(store: store, serializer: Backwards.new).open
      GC.start
      assert_operator callbacks.kept, :>=, 2
      session["a"] = 1
      assert_equal 1, committed(session).length
    end
    assert_raises(Khufu::OptionError) { factory(store: PStoreStore.new("unused"), colour: "red") }
    200.times { factory(serializer: Backwards.new).open(&:commit) }
    3.times { GC.start }
    assert_operator callbacks.kept, :<, before + 50
  end

  def test_callbacks_under_gc_stress
    with_store do |store|
      factory = factory(store: store, serializer: Backwards.new)
      header = begin_with(factory, "a" => "é" * 40)
      GC.stress = true
      session = factory.open(header)
      session["b"] = 1
      session.commit
      read = factory.open(header).to_h
      GC.stress = false
      assert_equal({ "a" => "é" * 40, "b" => 1 }, read)
    end
  ensure
    GC.stress = false
  end

  def test_the_example
    library = Khufu.const_get(:Native).ffi_libraries.first.name
    example = File.expand_path("../../../examples/ruby/pstore_store.rb", __dir__)
    output, status = run_ruby("load $PROGRAM_NAME = #{example.dump}", "KHUFU_LIBRARY" => library)
    assert_equal [%({"cart":["A-1"],"name":"Ada","_f_":["Saved."]}\n1 session ended\nmissing\n), true], [output, status.success?]
  end

  private

  def factory(**options) = Khufu::Factory.new(**{ secret: SECRET }.merge(options))

  def with_store(**before)
    Dir.mktmpdir { |folder| yield ScriptedStore.new(File.join(folder, "sessions"), **before) }
  end

  def begin_with(factory, state)
    sent_back(factory.open.update(state).mark_changed.commit)
  end

  # Commits a session of a subject and returns its Cookie header.
  def log_in(factory, subject)
    session = factory.open.update("a" => 1)
    session.subject = subject
    sent_back(session.commit)
  end
end
