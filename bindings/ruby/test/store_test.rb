# frozen_string_literal: true

require_relative "helper"
require_relative "redis_server"
require "tmpdir"
require_relative "../../../examples/ruby/pstore_store"

# Sessions in the library's own stores and in a custom store.
class StoreTest < SessionTest
  def test_a_stored_session_opens_in_the_next_request
    on_every_store do |factory|
      header = begin_with(factory, "user" => "zoë")
      session = factory.open(header)
      assert_equal [:loaded, false, { "user" => "zoë" }], [session.load_result, session.new?, session.to_h]
      assert_empty committed(session)
    end
  end

  def test_concurrent_requests_keep_each_others_changes
    on_every_store do |factory|
      header = begin_with(factory, "gone" => 1)
      one, other = Array.new(2) { factory.open(header) }
      one.update(one: 1, same: "one")
      one.flash("from one")
      other.update(other: 2, same: "other")
      other.flash("from other")
      other.delete("gone")
      [one, other].each(&:commit)
      expected = { "one" => 1, "same" => "other", "other" => 2, "_f_" => ["from one", "from other"] }
      assert_equal expected, factory.open(header).to_h
    end
  end

  def test_concurrent_threads_lose_no_changes
    on_every_store(store_timeout: 30) do |factory|
      header = begin_with(factory, {})
      Array.new(4) do |number|
        Thread.new do
          25.times do |round|
            factory.open(header) { |session| (session["#{number} #{round}"] = 1) and session.commit }
          end
        end
      end.each(&:join)
      assert_equal 100, factory.open(header).length
    end
  end

  def test_a_logout_is_final
    on_every_store do |factory|
      header = begin_with(factory, "user" => 1)
      slow = factory.open(header)
      slow["seen"] = true
      assert_match(/\Asession=;.*Max-Age=0/, committed(factory.open(header).invalidate).first)
      assert_equal 14, assert_raises(Khufu::GoneError) { slow.commit }.status
      assert_equal({ "user" => 1, "seen" => true }, slow.to_h)
      session = factory.open(header)
      assert_equal [:missing, true], [session.load_result, session.new?]
    end
  end

  def test_regenerate_id
    on_every_store do |factory|
      header = begin_with(factory, "cart" => [1])
      session = factory.open(header)
      before = session.id
      assert_match(/\A\h{64}\z/, before)
      assert_equal Encoding::UTF_8, before.encoding
      assert_same session, session.regenerate_id
      session["user"] = 42
      next_header = sent_back(session.commit)
      refute_equal header, next_header
      assert_equal before, session.id
      assert_equal({ "cart" => [1], "user" => 42 }, factory.open(next_header).to_h)
      old = factory.open(header)
      assert_equal [:loaded, { "cart" => [1] }], [old.load_result, old.to_h]
      old["late"] = 1
      assert_raises(Khufu::GoneError) { old.commit }
      factory.open(header).invalidate.commit # with the old id
      assert_equal [:missing] * 2, [header, next_header].map { |each| factory.open(each).load_result }
    end
  end

  def test_a_new_session_has_no_id
    session = stored("memory:").open
    session["a"] = 1
    assert_nil session.id
    session.commit
    assert_match(/\A\h{64}\z/, session.id)
  end

  def test_keys_in_redis_have_the_prefix
    RedisServer.run do |redis|
      shop = stored(redis.url, store_prefix: "shop:")
      header = begin_with(shop, "a" => 1)
      assert_equal [":1", ":1"], [redis.call("DBSIZE"), redis.call("EVAL", "return #redis.call('KEYS', 'shop:*')", 0)]
      assert_equal({ "a" => 1 }, shop.open(header).to_h)
      assert_equal :missing, stored(redis.url).open(header).load_result
    end
  end

  def test_a_session_in_a_cookie_has_no_id
    session = open_state('{"a":1}', reissue_time: nil)
    assert_nil session.id
    assert_equal 1, committed(session.regenerate_id).length
  end

  def test_timeouts
    on_every_store do |factory|
      header = begin_with(factory, "a" => 1)
      session = factory.open(header, timeout: 0.5)
      session["a"] += 1
      assert_empty committed(session, timeout: 2)
      assert_raises(Khufu::StoreError) { factory.open(header, timeout: 0) }
      assert_equal 2, factory.open(header, now: Time.now, timeout: 1)["a"]
    end
  end

  def test_a_commit_with_a_timeout_of_zero
    on_every_shared_store do |factory|
      session = factory.open(begin_with(factory, "a" => 1))
      session["a"] += 1
      assert_raises(Khufu::StoreError) { session.commit(timeout: 0) }
      assert_empty committed(session)
    end
  end

  def test_changes_that_add_up
    on_every_store do |factory|
      header = begin_with(factory, "n" => 1, "list" => [0])
      one, other = Array.new(2) { factory.open(header) }
      assert_equal [3, 11], [one.increment("n", 2), other.increment("n", 10)]
      one.append("list", "one").append("made", 1)
      other.append("list", "other").append("made", 2)
      [one, other].each(&:commit)
      assert_equal({ "n" => 13, "list" => [0, "one", "other"], "made" => [1, 2] }, factory.open(header).to_h)
    end
  end

  def test_a_logout_reaches_the_browser_though_the_store_fails
    store = Object.new
    def store.load(_) = raise(IOError)
    %i[save touch remove].each { |name| store.define_singleton_method(name) { |*| raise IOError } }
    session = factory(store: store, store_on_error: :empty).open("session=#{genuine_id}")
    session.invalidate
    response = { "cache-control" => "public" }
    assert_raises(Khufu::StoreError) { session.commit_to(response) }
    assert_equal({ "cache-control" => "public" }, response)
    session.add_headers_to(response)
    assert_match(/\Asession=; Max-Age=0/, response["Set-Cookie"] || response["set-cookie"].first)
    assert_equal "no-store", response["cache-control"]
  end

  def test_other_threads_run_while_one_waits_for_sqlite
    in_folder do |path|
      factory = stored("sqlite:#{path}", store_timeout: 20)
      session = factory.open(begin_with(factory, "a" => 1))
      session["b"] = 2
      locked(path) do
        rounds = rounds_during { assert_raises(Khufu::StoreError, Khufu::ConflictError) { session.commit(timeout: 0.4) } }
        assert_operator rounds, :>, 5
      end
      assert_empty committed(session)
      assert_equal({ "a" => 1, "b" => 2 }, session.to_h)
    end
  end

  def test_a_store_that_cannot_be_opened
    in_folder do |path|
      Dir.mkdir(path)
      error = assert_raises(Khufu::Error) { stored("sqlite:#{path}").open("session=#{'A' * 86}").tap { |s| s["a"] = 1 }.commit }
      assert_includes [Khufu::StoreError, Khufu::OptionError], error.class
      assert_match(/memory:.*sqlite:/, assert_raises(Khufu::OptionError) { stored("mysql://localhost") }.message)
    end
  end

  def test_an_interrupt_waits_until_the_call_is_over
    in_folder do |path|
      factory = stored("sqlite:#{path}", store_timeout: 20)
      session = factory.open(begin_with(factory, "a" => 1))
      session["b"] = 2
      locked(path) do
        thread = Thread.new do
          session.commit(timeout: 0.4)
        rescue RuntimeError, Khufu::Error => error
          error
        end
        sleep(0.1)
        thread.raise("from outside")
        assert_equal "from outside", thread.value.message
      end
      assert_empty committed(session)
    end
  end

  def test_a_child_process_makes_its_own_connection
    on_every_shared_store do |factory|
      header = begin_with(factory, "n" => 0)
      inherited = factory.open(header)
      children = Array.new(3) do |number|
        fork do
          factory.open(header) { |session| (session["child #{number}"] = session["n"]) and session.commit }
          inherited["inherited #{number}"] = true
          inherited.commit
          3.times { GC.start }
          exit!(0)
        rescue Exception => error # rubocop:disable Lint/RescueException
          warn(error.full_message)
          exit!(1)
        end
      end
      inherited["parent"] = true
      inherited.commit
      children.each { |pid| assert_predicate Process.wait2(pid).last, :success? }
      keys = %w[n parent] + [0, 1, 2].flat_map { |number| ["child #{number}", "inherited #{number}"] }
      assert_equal keys.sort, factory.open(header).keys.sort
    end
  end

  private

  def stored(store, **options) = factory(type: :store, store: store, **options)

  def in_folder
    Dir.mktmpdir { |folder| yield File.join(folder, "sessions.db") }
  end

  def on_every_store(**options, &block)
    yield stored("memory:", **options)
    in_folder { |path| yield factory(store: PStoreStore.new(path), **options) }
    on_every_shared_store(**options, &block)
  end

  # The stores that several processes can share.
  def on_every_shared_store(**options)
    in_folder { |path| yield stored("sqlite:#{path}", **options) }
    RedisServer.run { |redis| yield stored(redis.url, **options) }
  end

  # Returns a cookie's value that a store of the same secret has given.
  def genuine_id = stored("memory:").open.mark_changed.tap(&:commit).value

  def begin_with(factory, state)
    sent_back(factory.open.update(state).mark_changed.commit)
  end

  # Runs a block while another process holds the database's write lock.
  def locked(path)
    program = 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); ' \
              'c.execute("BEGIN EXCLUSIVE"); print("locked", flush=True); sys.stdin.read()'
    IO.popen(["python3", "-c", program, path], "r+") do |other|
      assert_equal "locked\n", other.gets
      yield
    end
  end

  # Returns how often another thread ran during the block.
  def rounds_during
    rounds = 0
    other = Thread.new { loop { (rounds += 1) and sleep(0.01) } }
    before = rounds
    yield
    rounds - before
  ensure
    other.kill
  end
end
