# frozen_string_literal: true

require_relative "helper"
require "timeout"

# If a method of a custom store or serializer ends by an exception, a throw or the end of the thread, the call on the
# session ends in the same way, as soon as the library's function has returned.
class CallbackExitsTest < SessionTest
  # A store that keeps records in a Hash. Before each method, it calls the Proc that a test has set in `before`.
  class HashStore
    attr_accessor :before

    def initialize
      @records = {}
      @before = {}
    end

    def load(key) = run(:load) { @records[key] }

    def save(key, expected, generation, record, _ttl)
      run(:save) do
        found = @records.fetch(key, [nil, 0]).last
        next found.zero? ? :gone : :conflict unless found == expected

        @records[key] = [record, generation]
        :ok
      end
    end

    def touch(key, *) = @records.key?(key) ? :ok : :gone
    def remove(key, _expected) = run(:remove) { @records.delete(key) ? :ok : :gone }

    private

    def run(name)
      @before[name]&.call
      yield
    end
  end

  def setup
    @store = HashStore.new
    @factory = Khufu::Factory.new(secret: SECRET, store: @store, store_timeout: 5)
    @header = sent_back(@factory.open.update("a" => 1).commit)
  end

  def teardown
    @store.before.clear
    assert_equal 1, @factory.open(@header)["a"]
  end

  def test_a_timeout
    during(-> { sleep(5) }) do |call|
      error = assert_raises(Timeout::Error) { Timeout.timeout(0.05) { call.call } }
      assert_instance_of Timeout::Error, error
    end
  end

  def test_a_throw
    during(-> { throw :out, 5 }) { |call| assert_equal(5, catch(:out) { call.call && flunk }) }
    error = assert_raises(Khufu::StoreError) { during_open(-> { throw :nowhere }) }
    assert_instance_of UncaughtThrowError, error.cause
  end

  def test_the_end_of_a_thread
    during(-> { sleep(5) }) do |call|
      thread = Thread.new { call.call && flunk }
      sleep(0.01) until thread.stop?
      thread.kill
      assert_nil thread.join(1).value
    end
    during(-> { Thread.current.kill }) { |call| assert_nil Thread.new { call.call && flunk }.join(1).value }
  end

  def test_an_exception_that_is_not_a_standard_error
    [Interrupt, NoMemoryError, SystemExit, Class.new(Exception)].each do |exception| # rubocop:disable Lint/InheritException
      during(-> { raise exception, "now" }) { |call| assert_raises(exception, &call) }
    end
    during(-> { sleep(5) }) do |call|
      thread = Thread.new { assert_raises(Interrupt, &call) }
      sleep(0.01) until thread.stop?
      thread.raise(Interrupt)
      assert_instance_of Interrupt, thread.value
    end
  end

  def test_a_store_is_not_called_again_after_a_throw
    calls = 0
    @store.before = { load: -> { (calls += 1) && throw(:out) } }
    assert_nil(catch(:out) { @factory.open(@header) })
    assert_equal 1, calls
  end

  def test_a_session_can_be_committed_after_a_throw_out_of_commit
    session = @factory.open(@header)
    session["b"] = 2
    @store.before = { save: -> { throw :out } }
    3.times { catch(:out) { session.commit && flunk } }
    @store.before = {}
    assert_predicate session, :changed?
    session["c"] = 3
    session.commit
    assert_equal({ "a" => 1, "b" => 2, "c" => 3 }, @factory.open(@header).to_h)
  end

  def test_a_throw_out_of_a_serializer
    serializer = Struct.new(:throwing) do
      def loads(payload) = payload.force_encoding(Encoding::UTF_8)

      def dumps(json)
        throw :out, :thrown if throwing
        json
      end
    end.new(true)
    session = Khufu::Factory.new(secret: SECRET, serializer: serializer).open
    session["a"] = 1
    assert_equal :thrown, catch(:out) { session.commit }
    serializer.throwing = false
    assert_equal 1, committed(session).length
  end

  # The methods run in the caller's fiber, with its fiber-local variables and locks.
  def test_a_store_runs_in_the_fiber_of_the_caller
    Thread.current[:request] = 7
    lock = Mutex.new
    seen = nil
    fiber = Fiber.current
    @store.before = { load: -> { seen = [Thread.current[:request], lock.owned?, Fiber.current.equal?(fiber)] } }
    lock.synchronize { @factory.open(@header) }
    assert_equal [7, true, true], seen
    waiting = Fiber.new { @factory.open(@header)["a"] }
    @store.before = { load: -> { Fiber.yield(:waiting) } }
    assert_equal [:waiting, 1], [waiting.resume, waiting.resume]
  ensure
    Thread.current[:request] = nil
  end

  def test_a_store_that_uses_khufu_itself
    inner = HashStore.new
    factory = Khufu::Factory.new(secret: SECRET, store: inner)
    header = sent_back(factory.open.update("inner" => true).commit)
    seen = nil
    @store.before = { load: -> { seen = factory.open(header).to_h } }
    assert_equal({ "a" => 1 }, @factory.open(@header).to_h)
    assert_equal({ "inner" => true }, seen)
    inner.before = { load: -> { throw :out, :thrown } }
    assert_equal :thrown, catch(:out) { @factory.open(@header) }
  end

  # Interrupts calls, and the methods that free their memory, at random moments.
  def test_interrupts_at_random
    seed = Random.new_seed
    random = Random.new(seed)
    @store.before = { load: -> { sleep(0.0005) if rand < 0.3 } }
    ended = Array.new(300) do
      thread = Thread.new { loop { @factory.open(@header) { |session| session.update("k" => rand).commit } } }
      thread.report_on_exception = false
      sleep(0.003 * random.rand)
      random.rand(2).zero? ? thread.kill : thread.raise(Interrupt)
      assert thread.join(5), "a thread did not end; seed #{seed}"
    rescue Interrupt
      :interrupted
    end
    GC.start
    assert_includes ended, :interrupted
  end

  def test_calls_that_end_by_a_throw_do_not_leak
    rounds = lambda do |count|
      @store.before = { load: -> { throw :out } }
      count.times { catch(:out) { @factory.open(@header) } }
      3.times { GC.start }
      Integer(File.read("/proc/self/statm").split[1]) * 4
    end
    rounds.call(2_000)
    before = rounds.call(2_000)
    assert_operator rounds.call(20_000) - before, :<, 10_000, "kB"
  end

  private

  # Yields a call that opens a session, and then one that commits it. Within each, a method of the store does the work.
  def during(work, &)
    during_open(work, &)
    session = @factory.open(@header)
    session["b"] = 2
    @store.before = { save: work }
    yield -> { session.commit }
    @store.before = {}
    assert_empty committed(session)
  end

  def during_open(work)
    @store.before = { load: work }
    block_given? ? yield(-> { @factory.open(@header) }) : @factory.open(@header)
  ensure
    @store.before = {}
  end
end
