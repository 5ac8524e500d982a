# frozen_string_literal: true

require_relative "helper"

# Memory of the library: all of it is freed, exactly once and not too early.
class HandlesTest < SessionTest
  STATE = '{"a":{"b":["c",1.5,null]},"text":"é\n","_csrft_":"t","_f_":["m"]}'

  def test_everything_under_gc_stress
    header = cookie("[#{RENEWED},#{CREATED},#{STATE}]")
    GC.stress = true
    session = factory(previous_secret: ["x"]).open(header, now: NOW)
    session["new"] = { "k" => ["v" * 40] }
    session["string"] = "s" * 40
    read = [session["a"], session["text"], session.to_h, session.keys, session.csrf_token, session.delete("text"),
            session.flash("n").pop_flash, session.setdefault("d", [1]), session.to_json, session.load_result]
    failure = begin
      session.store_json("a", "{")
    rescue Khufu::Error => error
      error
    end
    cookies = session.commit
    GC.stress = false
    state = JSON.parse(STATE).merge("new" => { "k" => ["v" * 40] }, "string" => "s" * 40)
    left = state.except("text", "_f_").merge("d" => [1])
    assert_equal [state["a"], "é\n", state, state.keys, "t", "é\n", %w[m n], [1]], read[..7]
    assert_equal [left, :loaded], [JSON.parse(read[8]), read[9]]
    assert_instance_of Khufu::JSONError, failure
    assert_equal left, factory.open(sent_back(cookies), now: NOW).to_h
  ensure
    GC.stress = false
  end

  def test_compaction_does_not_move_what_c_refers_to
    skip "this Ruby cannot compact its heap" unless GC.respond_to?(:compact)
    session = open_state(STATE)
    before = session.to_h
    session["short"] = "s"
    GC.compact
    assert_equal before.merge("short" => "s"), session.to_h
    assert_equal before.merge("short" => "s"), factory.open(sent_back(session.commit), now: NOW).to_h
  rescue NotImplementedError
    skip "Ruby cannot compact its heap on this machine"
  end

  def test_values_stay_valid_after_the_session_is_closed
    session = open_state(STATE)
    session["b"] = 1
    read = [session["text"], session.to_h, session.commit, session.csrf_token]
    copy = Marshal.load(Marshal.dump(read))
    session["text"] = "other"
    session.clear
    session.close
    assert_equal copy, read
  end

  def test_a_session_outlives_its_factory
    session = open_state(STATE)
    3.times { GC.start }
    session["b"] = 1
    assert_equal 1, committed(session).length
  end

  def test_factories_sessions_and_handles_cannot_be_copied
    [factory, open_state(STATE)].each do |object|
      assert_raises(Khufu::TypeError) { object.dup }
      assert_raises(Khufu::TypeError) { object.clone }
      assert_raises(TypeError) { Marshal.dump(object) }
      handle = object.instance_variable_get(:@handle)
      assert_raises(NoMethodError) { handle.dup }
      assert_raises(NoMethodError) { handle.clone }
    end
    assert_equal "é\n", open_state(STATE)["text"]
  end

  def test_a_factory_that_could_not_be_made_is_freed
    2.times { 500.times { assert_raises(Khufu::OptionError) { factory(colour: "red") } } and GC.start }
    assert_raises(Khufu::ArgumentError) { Khufu::Factory.allocate.open }
  end

  def test_memory_stays_bounded
    program = <<~RUBY
      require "khufu"
      factory = Khufu::Factory.new(secret: "s")
      header = factory.open { |s| (s["pad"] = "x" * 2500) and s.commit[0][1][/[^;]*/] }
      work = lambda do |times|
        times.times do
          session = factory.open(header)
          session["n"] = session["pad"].length
          session.keys
          session.commit
        end
        GC.start
        File.read("/proc/self/status")[/VmRSS:\\s+(\\d+)/, 1].to_i
      end
      before = work[20_000]
      after = work[80_000]
      puts after - before
    RUBY
    output, = run_ruby(program)
    assert_match(/\A-?\d+\n\z/, output)
    assert_operator output.to_i, :<, 20_000, "kilobytes more after 80,000 more sessions"
  end

  def test_closing_frees_at_once
    program = <<~RUBY
      require "khufu"
      GC.disable
      factory = Khufu::Factory.new(secret: "s")
      header = factory.open { |s| (s["pad"] = "x" * 2900) and s.commit[0][1][/[^;]*/] }
      rss = -> { File.read("/proc/self/status")[/VmRSS:\\s+(\\d+)/, 1].to_i }
      grown = lambda { |&work| rss.call.then { |before| 10_000.times(&work) and rss.call - before } }
      puts [grown.call { factory.open(header) { |s| s } }, grown.call { factory.open(header) }].join(" ")
    RUBY
    output, = run_ruby(program)
    closed, left = output.split.map(&:to_i)
    assert_operator left - closed, :>, 20_000, output
  end
end
