# frozen_string_literal: true

require_relative "helper"

# The sessions of one user.
class SubjectTest < SessionTest
  def setup
    @factory = factory(type: :store)
  end

  def test_sessions_are_listed
    _, first = login("user-42", NOW)
    _, second = login("user-42", NOW + 10.25)
    login("user-43", NOW)
    sessions = @factory.subject("user-42").sessions
    assert_equal [second, first], sessions.map(&:id)
    assert_equal [NOW + 10.25, NOW + 10], seconds(sessions[0].created, sessions[0].accessed)
    assert_predicate sessions[0].created, :utc?
    assert_predicate sessions, :frozen?
    assert_empty @factory.subject(:nobody).sessions
  end

  def test_one_session_is_revoked
    header, id = login("user-42", NOW)
    refute @factory.subject("user-43").revoke(id)
    assert_equal :loaded, @factory.open(header, now: NOW).load_result
    assert @factory.subject("user-42").revoke(id)
    assert_equal :missing, @factory.open(header, now: NOW).load_result
  end

  def test_all_sessions_except_one_are_revoked
    headers, ids = Array.new(3) { login("user-42", NOW) }.transpose
    other, = login("user-43", NOW)
    subject = @factory.subject("user-42")
    assert_equal 2, subject.revoke_all(except: ids[1])
    results = [*headers, other].map { |header| @factory.open(header, now: NOW).load_result }
    assert_equal %i[missing loaded missing loaded], results
    assert_equal 1, subject.revoke_all
    assert_equal :missing, @factory.open(headers[1], now: NOW).load_result
  end

  def test_a_session_that_no_longer_belongs_to_a_subject
    header, = login("user-42", NOW)
    session = @factory.open(header, now: NOW)
    session.subject = nil
    session.commit
    assert_empty @factory.subject("user-42").sessions
  end

  def test_a_session_returns_its_subject
    header, = login("zoë", NOW)
    session = @factory.open(header, now: NOW)
    assert_equal ["zoë", Encoding::UTF_8], [session.subject, session.subject.encoding]
    session.subject = :other
    assert_equal "other", session.subject
    session.subject = nil
    assert_nil session.subject
    assert_nil @factory.open.subject
    assert_nil factory.open.subject
  end

  def test_cookies_have_no_subjects
    assert_raises(Khufu::ArgumentError) { factory.open.subject = "user-42" }
    assert_raises(Khufu::ArgumentError) { factory.subject("user-42") }
    assert_raises(Khufu::EncodingError) { @factory.subject("\xff") }
    assert_raises(Khufu::TypeError) { @factory.subject("user-42").dup }
    refute_includes @factory.subject("zqxj").inspect, "zqxj"
  end

  private

  # Commits a session of a subject and returns its Cookie header and id.
  def login(subject, now)
    session = @factory.open(now: now)
    session.subject = subject
    session["a"] = 1
    [sent_back(session.commit), session.id]
  end
end
