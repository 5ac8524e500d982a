# frozen_string_literal: true

require_relative "helper"

# The lifetime of one session, and the attributes of one cookie.
class RememberingTest < SessionTest
  def test_a_lifetime_in_a_store
    factory = factory(type: :store, timeout: 100)
    session = factory.open(now: NOW)
    session.lifetime = 1000
    header = sent_back(session.commit)
    assert_includes committed(session).first, "; Max-Age=1000"
    session = factory.open(header, now: NOW + 999)
    assert_equal :loaded, session.load_result
    session.lifetime = nil
    session.commit
    assert_equal :expired, factory.open(header, now: NOW + 999 + 101).load_result
  end

  def test_a_lifetime_in_a_cookie_is_that_of_the_next_cookie
    session = open_state
    session.lifetime = 1000
    session["a"] = 1
    assert_includes committed(session).first, "; Max-Age=1000"
    session["a"] = 2
    refute_includes committed(session).first, "Max-Age"
    session.lifetime = 0
    session["a"] = 3
    refute_includes committed(session).first, "Max-Age"
  end

  def test_lifetimes_of_the_wrong_kind
    session = open_state
    [-1, 2**64, 1.5, 1.0, "1", true, Object.new, Time.now].each do |lifetime|
      assert_raises(Khufu::ArgumentError) { session.lifetime = lifetime }
    end
    assert_empty session.commit
  end

  def test_attributes_of_the_next_cookie
    session = open_state
    session["a"] = 1
    assert_same session, session.set_attribute(:max_age, 60).set_attribute("secure", true).set_attribute(:samesite, "None")
    session.set_attribute(:httponly, true).set_attribute(:partitioned, true)
    cookie = committed(session).first
    ["; Max-Age=60", "; secure", "; HttpOnly", "; SameSite=None", "; Partitioned"].each { |attribute| assert_includes cookie, attribute }
    session["a"] = 2
    assert_match(%r{\Asession=[\w-]+; Path=/; SameSite=Lax\z}, committed(session).first)
  end

  def test_an_attribute_is_unset
    session = open_state(nil, max_age: 60)
    session["a"] = 1
    session.set_attribute(:max_age, nil).set_attribute(:samesite, "")
    assert_match(%r{\Asession=[\w-]+; Path=/\z}, committed(session).first)
  end

  def test_wrong_attributes
    session = open_state
    {
      path: "/", domain: "example.com", colour: "red", "": "x", max_age: "soon", secure: 2, samesite: "Sideways", httponly: Object.new
    }.each do |name, value|
      assert_raises(Khufu::OptionError, name) { session.set_attribute(name, value) }
    end
    [1, nil, ["secure"]].each { |name| assert_raises(Khufu::ArgumentError) { session.set_attribute(name, true) } }
    assert_raises(Khufu::EncodingError) { session.set_attribute(:max_age, "\xff") }
    session["a"] = 1
    assert_match(%r{\Asession=[\w-]+; Path=/; SameSite=Lax\z}, committed(session).first)
  end

  def test_partitioned_as_an_option
    session = open_state(nil, secure: true, partitioned: true)
    session["a"] = 1
    assert_includes committed(session).first, "; Partitioned"
    assert_raises(Khufu::OptionError) { factory(partitioned: true) }
  end
end
