# frozen_string_literal: true

require_relative "helper"

# A block that is run again after a conflict.
class TransactTest < SessionTest
  def setup
    @factory = factory(type: :store, store_timeout: 0.2)
    @header = sent_back(@factory.open.update("n" => 1).commit)
  end

  def test_the_session_is_committed_and_the_result_returned
    headers = {}
    result = @factory.transact(@header, headers) { |session| session["n"] += 1 }
    assert_equal [2, 2], [result, @factory.open(@header)["n"]]
    assert_equal "Cookie", headers["Vary"] || headers["vary"]
  end

  def test_after_a_conflict_the_block_runs_again
    runs = []
    result = @factory.transact(@header, {}) do |session|
      runs << session
      session.append("list", "mine") if session["list"].nil?
      interfere("list", "other") if runs.length == 1
      session["list"]
    end
    assert_equal "other", result
    assert_equal 2, runs.length
    assert(runs.all?(&:closed?))
    assert_equal({ "n" => 1, "list" => "other" }, @factory.open(@header).to_h)
  end

  def test_it_ends_when_the_time_is_over
    [[@factory, {}], [factory(type: :store, store_timeout: 60), { timeout: 0.2 }]].each do |factory, options|
      @factory = factory
      @header = sent_back(@factory.open.update("n" => 1).commit)
      runs = 0
      headers = {}
      start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      assert_raises(Khufu::ConflictError) { @factory.transact(@header, headers, **options) { |session| conflict(session, runs += 1) } }
      assert_operator runs, :>, 1
      assert_includes 0.2..0.9, Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
      assert_empty headers
    end
  end

  def test_the_store_timeout_of_an_ini_file
    @factory = Khufu::Factory.from_ini("secret = #{SECRET}\ntype = store\nstore_timeout = 0.2\n")
    @header = sent_back(@factory.open.update("n" => 1).commit)
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    assert_raises(Khufu::ConflictError) { @factory.transact(@header, {}) { |session| conflict(session, rand(1 << 30)) } }
    assert_includes 0.2..0.9, Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
  end

  def test_a_logout_reaches_the_browser_although_the_store_fails
    store = Class.new do
      def load(_key) = @record
      def save(_key, _expected, generation, data, _ttl) = (@record = [data, generation]) && :ok
      def touch(*) = :ok
      def remove(*) = raise("no disk")
    end.new
    factory = Khufu::Factory.new(secret: SECRET, store: store)
    header = sent_back(factory.open.update("n" => 1).commit)
    headers = { "x" => "y" }
    assert_raises(Khufu::StoreError) { factory.transact(header, headers, &:invalidate) }
    assert_equal "y", headers["x"]
    assert_includes Array(headers.find { |name, _| name.downcase == "set-cookie" }.last).join, "Max-Age=0"
  end

  def test_other_errors_end_it
    runs = 0
    assert_raises(Khufu::GoneError) do
      @factory.transact(@header, {}) do |session|
        runs += 1
        session["n"] = 2
        @factory.open(@header).invalidate.commit
      end
    end
    assert_raises(IOError) { @factory.transact(@header, {}) { (runs += 1) and raise IOError } }
    assert_raises(Khufu::ConflictError) { @factory.transact(nil, {}) { (runs += 1) and raise Khufu::ConflictError } }
    assert_raises(Khufu::ArgumentError) { @factory.transact(nil, {}.freeze) { runs += 1 } }
    assert_raises(Khufu::ArgumentError) { @factory.transact(nil, {}, timeout: -1) { runs += 1 } }
    assert_equal 4, runs
  end

  def test_a_session_in_a_cookie
    headers = {}
    factory.transact(nil, headers, now: NOW) { |session| session["a"] = 1 }
    cookie = Array(headers["set-cookie"] || headers["Set-Cookie"]).first
    assert_equal 1, factory.open(cookie[/[^;]*/], now: NOW)["a"]
  end

  private

  # Sets a key in another request in the meantime.
  def interfere(key, value)
    @factory.open(@header) { |session| (session[key] = value) and session.commit }
  end

  # Appends to a list that another request replaces by a string.
  def conflict(session, run)
    session["list"] = []
    session.append("x#{run}", 1)
    interfere("x#{run}", "other")
  end
end
