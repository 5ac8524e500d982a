# frozen_string_literal: true

require_relative "helper"

# Threads and forks.
class ProcessTest < SessionTest
  def test_threads_share_a_factory
    factory = factory()
    header = cookie(%([#{RENEWED},#{CREATED},{"n":0}]))
    results = Array.new(8) do |number|
      Thread.new do
        Array.new(300) do |round|
          session = factory.open(header, now: NOW)
          session["n"] += number
          session["text"] = "#{number} #{round}" * 10
          Thread.pass
          factory.open(sent_back(session.commit), now: NOW).to_h
        end
      end
    end.map(&:value)
    results.each_with_index do |states, number|
      states.each_with_index do |state, round|
        assert_equal({ "n" => number, "text" => "#{number} #{round}" * 10 }, state)
      end
    end
  end

  def test_a_session_can_be_used_in_another_thread_or_fiber
    session = open_state('{"a":1}')
    assert_equal 1, Thread.new { session["a"] }.value
    assert_equal ["a", 1], Fiber.new { session.each.next }.resume
  end

  def test_fork
    factory = factory()
    session = factory.open(cookie(%([#{RENEWED},#{CREATED},{"a":1}])), now: NOW)
    headers = Array.new(2) { |number| in_a_child { child(factory, session, number) } }
    session["parent"] = true
    headers << sent_back(session.commit)
    states = headers.map { |header| factory.open(header, now: NOW).to_h }
    assert_equal [0, 1, nil], states.map { |state| state["child"] }
    assert_equal [{ "a" => 1, "parent" => true }], states[2..]
    tokens = states.first(2).map { |state| state.fetch("_csrft_") }
    assert_equal tokens.uniq, tokens
  end

  private

  # Commits an inherited session, and then one that the child has opened. Returns the Cookie header of the second.
  def child(factory, session, number)
    session["child"] = number
    session.csrf_token
    opened = factory.open(sent_back(session.commit), now: NOW)
    3.times { GC.start }
    opened["opened"] = true
    sent_back(opened.commit)
  end

  def in_a_child
    reader, writer = IO.pipe
    pid = fork do
      reader.close
      writer.write(yield)
      writer.close
      exit!(0)
    end
    writer.close
    text = reader.read
    Process.wait(pid)
    assert_predicate Process.last_status, :success?
    text
  end
end
