# frozen_string_literal: true

require_relative "helper"

# Times, new? and changed?, and invalidate.
class LifetimeTest < SessionTest
  def test_times
    session = open_state('{"a":1}')
    assert_equal [CREATED, RENEWED, RENEWED], seconds(session.created, session.renewed, session.accessed)
    session["a"]
    assert_equal [CREATED, RENEWED, NOW], seconds(session.created, session.renewed, session.accessed)
    [session.created, session.renewed, session.accessed].each do |time|
      assert_instance_of Time, time
      assert_predicate time, :utc?
    end
    assert_equal Time.utc(2023, 11, 14, 22, 11, 39, 750_000), session.created
  end

  def test_reading_marks_accessed
    reads = {
      index: ["a"], fetch: ["a"], key?: ["b"], length: [], empty?: [], keys: [], values: [], to_h: [], to_json: [],
      json: ["a"], dig: ["a"], values_at: ["a"], slice: ["a"], peek_flash: [], csrf_token: [], first: []
    }
    reads.each do |name, arguments|
      name = :[] if name == :index
      session = open_state('{"a":1,"_csrft_":"x"}', reissue_time: nil)
      session.public_send(name, *arguments)
      assert_equal [NOW, false], [session.accessed.to_i, session.changed?], name
      session = open_state('{"a":1,"_csrft_":"x"}')
      session.public_send(name, *arguments)
      assert_predicate session, :changed?, name
    end
  end

  def test_reading_properties_of_the_session_does_not_count_as_access
    session = open_state('{"a":1}')
    session.inspect
    session.to_s
    [session.new?, session.changed?, session.load_result, session.load_format, session.error]
    [session.headers, session.created, session.renewed, session.accessed]
    assert_empty session.commit
    [session.value, session.subject, session.id] # a response with one of them must not be shared
    assert_equal [RENEWED, false], [session.accessed.to_i, session.changed?]
    assert_equal [%w[Vary Cookie], %w[Cache-Control private]], session.commit
  end

  def test_reissue_time
    assert_predicate open_state('{"a":1}', reissue_time: 59).tap { |session| session["a"] }, :changed?
    refute_predicate open_state('{"a":1}', reissue_time: 60).tap { |session| session["a"] }, :changed?
  end

  def test_changed
    session = open_state('{"a":1}', reissue_time: nil)
    assert_same session, session.mark_changed
    assert_predicate session, :changed?
    assert_equal RENEWED, session.accessed.to_i
    assert_equal 1, committed(session).length
    refute_predicate session, :changed?
  end

  def test_calls_without_effect_do_not_mark_the_session_as_changed
    session = open_state('{"a":1}', reissue_time: nil)
    session.setdefault("a", 2)
    session.delete("none")
    session.pop_flash
    session.update({})
    refute_predicate session, :changed?
    refute_predicate open_state("{}", reissue_time: nil).clear, :changed?
  end

  def test_invalidate
    session = open_state('{"a":1}')
    refute_predicate session, :new?
    assert_same session, session.invalidate
    assert_predicate session, :new?
    assert_empty session
    assert_equal NOW, session.created.to_i
    session["b"] = 2
    assert_equal({ "b" => 2 }, factory.open(sent_back(session.commit), now: NOW).to_h)
  end

  def test_invalidate_clears_the_cookie
    cookies = committed(open_state('{"a":1}', path: "/app", httponly: true).invalidate)
    assert_equal 1, cookies.length
    assert_match(/\Asession=;.*Max-Age=0/, cookies[0])
    assert_includes cookies[0], "; Path=/app"
    assert_includes cookies[0], "; HttpOnly"
    assert_empty committed(open_state.invalidate)
  end
end
