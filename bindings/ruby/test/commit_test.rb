# frozen_string_literal: true

require_relative "helper"

class CommitTest < SessionTest
  def test_nothing_changed
    session = open_state
    assert_equal [], session.commit
    assert_equal [], session.headers
  end

  def test_changed
    session = open_state('{"a":1}')
    session["b"] = 2
    headers = session.commit
    assert_equal %w[Set-Cookie Vary Cache-Control], headers.map(&:first)
    assert_match(%r{\Asession=[\w-]+; Path=/; SameSite=Lax\z}, headers[0].last)
    assert_equal %w[Cookie private], headers[1..].map(&:last)
    assert_equal [headers, headers], [session.headers, session.commit]
    assert_equal Encoding::UTF_8, headers[0].last.encoding
    session["c"] = 3
    again = factory.open(sent_back(session.commit), now: NOW + 10)
    assert_equal({ "a" => 1, "b" => 2, "c" => 3 }, again.to_h)
    assert_equal [NOW, CREATED], seconds(again.renewed, again.created)
  end

  def test_a_commit_does_not_change_the_result_of_an_earlier_one
    session = open_state
    session["a"] = 1
    first = session.commit
    copy = Marshal.load(Marshal.dump(first))
    session["a"] = 2
    session.commit
    assert_equal copy, first
  end

  def test_headers_of_a_session_that_was_only_read
    session = open_state('{"a":1}', reissue_time: nil)
    session["a"]
    assert_equal [%w[Vary Cookie], %w[Cache-Control private]], session.commit
  end

  def test_headers_of_a_session_that_ended
    headers = open_state('{"user":1}').invalidate.commit
    assert_equal [%w[Vary Cookie], %w[Cache-Control no-store]], headers[1..]
  end

  def test_headers_are_frozen
    session = open_state
    session["a"] = 1
    [session.commit, session.headers].each do |headers|
      [headers, *headers, *headers.flatten].each { |each| assert_predicate each, :frozen? }
    end
  end

  def test_headers_after_a_commit_that_failed
    session = open_state
    session["a"] = 1
    before = session.commit
    session["large"] = "x" * 5000
    assert_raises(Khufu::TooLargeError) { session.commit }
    assert_equal before, session.headers
  end

  def test_a_key_that_the_library_keeps_for_itself
    session = open_state(nil, library: :beaker)
    session["_creation_time"] = 1
    assert_match(/_creation_time/, assert_raises(Khufu::ReservedKeyError) { session.commit }.message)
    session.delete("_creation_time")
    assert_equal 1, committed(session).length
    refute_operator Khufu::ReservedKeyError, :<, ::KeyError
  end

  def test_timeouts_of_the_wrong_kind
    [-1, -0.001, Float::NAN, -Float::INFINITY, "1", 1i, Object.new, Time.at(1)].each do |timeout|
      assert_raises(Khufu::ArgumentError) { open_state.commit(timeout: timeout) }
    end
    [0, 0.5, 1/2r, 2**70, Float::INFINITY, nil].each { |timeout| assert_empty open_state.commit(timeout: timeout) }
  end

  def test_attributes
    session = open_state(
      nil, cookie_name: "sid", domain: "example.com", path: "/app", max_age: 3600, secure: true, httponly: true,
           samesite: :Strict
    )
    session["a"] = 1
    name, *attributes = committed(session)[0].split("; ")
    assert_match(/\Asid=/, name)
    assert_equal ["Domain=example.com", "Max-Age=3600", "Path=/app", "expires=Tue, 14 Nov 2023 23:14:20 GMT",
                  "secure", "HttpOnly", "SameSite=Strict"], attributes
    session = open_state(nil, path: nil, samesite: nil)
    session["a"] = 1
    assert_match(/\Asession=[\w-]+\z/, committed(session)[0])
  end

  def test_vectors_of_set_cookie
    vectors("set_cookie")["cases"].reject { |vector| vector["options"]["delete"] }.each do |vector|
      session = open_state(nil, **vector["options"].transform_keys(&:to_sym))
      session["a"] = 1
      timeless = ->(set_cookie) { set_cookie.sub(/; expires=[^;]*/, "; expires=") }
      written = committed(session)[0].sub(/=[\w-]+/, "=VALUE")
      assert_equal timeless[vector["set_cookie"]], timeless[written]
    end
  end

  def test_exception
    session = open_state
    session["a"] = 1
    assert_equal 1, committed(session, exception: true).length
    session = open_state(nil, set_on_exception: false)
    session["a"] = 1
    assert_empty committed(session, exception: true)
    assert_predicate session, :changed?
    assert_equal 1, committed(session, exception: false).length
  end

  def test_a_logout_takes_effect_if_the_request_ends_in_an_exception
    session = open_state('{"user":1}', set_on_exception: false).invalidate
    session["a"] = 1
    assert_match(/\Asession=; Max-Age=0/, committed(session, exception: true).first)
    assert_empty session
  end

  def test_a_logout_with_a_domain
    first, second = committed(open_state('{"user":1}', domain: "example.com").invalidate)
    assert_match(/\Asession=; Domain=example\.com; Max-Age=0/, first)
    assert_match(/\Asession=; Max-Age=0/, second)
  end

  def test_too_large
    session = open_state('{"a":1}')
    session["large"] = "x" * 4000
    error = assert_raises(Khufu::TooLargeError) { session.commit }
    assert_match(/\b4064\b/, error.message)
    assert_match(/\b5\d\d\d\b/, error.message)
    assert_equal error.message, session.error
    assert_predicate session, :changed?
    assert_equal %w[a large], session.keys
    session.delete("large")
    assert_equal({ "a" => 1 }, factory.open(sent_back(session.commit), now: NOW).to_h)
  end

  def test_the_largest_session_that_fits
    session = open_state
    sizes = (2000..4064).bsearch do |size|
      session["large"] = "x" * size
      session.commit.then { false }
    rescue Khufu::TooLargeError
      true
    end
    session["large"] = "x" * (sizes - 1)
    value = sent_back(session.commit).delete_prefix("session=")
    assert_includes 4063..4064, value.length
    assert_equal "x" * (sizes - 1), factory.open("session=#{value}", now: NOW)["large"]
  end
end
