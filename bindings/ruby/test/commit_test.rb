# frozen_string_literal: true

require_relative "helper"

class CommitTest < SessionTest
  def test_nothing_changed
    session = open_state
    assert_equal [], session.commit
    refute_predicate session, :vary?
  end

  def test_changed
    session = open_state('{"a":1}')
    session["b"] = 2
    cookies = session.commit
    assert_equal 1, cookies.length
    assert_match(%r{\Asession=[\w-]+; Path=/; SameSite=Lax\z}, cookies[0])
    assert_predicate session, :vary?
    assert_equal cookies, session.commit
    assert_predicate session, :vary?
    session["c"] = 3
    again = factory.open(sent_back(session.commit), now: NOW + 10)
    assert_equal({ "a" => 1, "b" => 2, "c" => 3 }, again.to_h)
    assert_equal [NOW, CREATED], seconds(again.renewed, again.created)
  end

  def test_a_commit_does_not_change_the_result_of_an_earlier_one
    session = open_state
    session["a"] = 1
    first = session.commit
    copy = first.map(&:dup)
    session["a"] = 2
    session.commit
    assert_equal copy, first
  end

  def test_attributes
    session = open_state(
      nil, cookie_name: "sid", domain: "example.com", path: "/app", max_age: 3600, secure: true, httponly: true,
           samesite: :Strict
    )
    session["a"] = 1
    name, *attributes = session.commit[0].split("; ")
    assert_match(/\Asid=/, name)
    assert_equal ["Domain=example.com", "Max-Age=3600", "Path=/app", "expires=Tue, 14 Nov 2023 23:14:20 GMT",
                  "secure", "HttpOnly", "SameSite=Strict"], attributes
    session = open_state(nil, path: nil, samesite: nil)
    session["a"] = 1
    assert_match(/\Asession=[\w-]+\z/, session.commit[0])
  end

  def test_vectors_of_set_cookie
    vectors("set_cookie")["cases"].reject { |vector| vector["options"]["delete"] }.each do |vector|
      session = open_state(nil, **vector["options"].transform_keys(&:to_sym))
      session["a"] = 1
      timeless = ->(set_cookie) { set_cookie.sub(/; expires=[^;]*/, "; expires=") }
      written = session.commit[0].sub(/=[\w-]+/, "=VALUE")
      assert_equal timeless[vector["set_cookie"]], timeless[written]
    end
  end

  def test_exception
    session = open_state
    session["a"] = 1
    assert_equal 1, session.commit(exception: true).length
    session = open_state(nil, set_on_exception: false)
    session["a"] = 1
    assert_empty session.commit(exception: true)
    assert_predicate session, :changed?
    assert_equal 1, session.commit(exception: false).length
  end

  def test_a_logout_takes_effect_if_the_request_ends_in_an_exception
    session = open_state('{"user":1}', set_on_exception: false).invalidate
    session["a"] = 1
    assert_match(/\Asession=; Max-Age=0/, session.commit(exception: true).first)
    assert_empty session
  end

  def test_a_logout_with_a_domain
    first, second = open_state('{"user":1}', domain: "example.com").invalidate.commit
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
