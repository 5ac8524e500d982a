# frozen_string_literal: true

require_relative "helper"
require "pp"

# Secrets and contents of sessions are never printed.
class SecrecyTest < SessionTest
  SECRET = "zqxj-secret"

  def test_inspect_shows_no_secret_and_no_contents
    factory = Khufu::Factory.new(secret: SECRET, previous_secret: "zqxj-previous")
    session = factory.open(now: NOW)
    session["zqxj-key"] = "zqxj-value"
    assert_equal "#<Khufu::Factory>", factory.inspect
    assert_equal "#<Khufu::Session none new changed>", session.inspect
    [factory, session].each do |object|
      [object.inspect, object.to_s, object.pretty_inspect, "#{object}", [object].inspect].each { |text| refute_includes text, "zqxj" }
    end
    refute_includes assert_raises(NoMethodError) { session.nothing }.message.lines.first, "zqxj"
  end

  def test_messages_show_no_secret
    wrong = [
      { secret: SECRET, type: :encrypted_cookie }, { secret_hex: SECRET }, { previous_secret_hex: SECRET }, { secrets: SECRET },
      { secret: SECRET, timeout: "x" }, { secret: SECRET, secret_hex: "00" }, { secret: [SECRET, nil] }, { secret: { a: SECRET } },
      { secret: "#{SECRET}\xff" }, { secret: SECRET.b + "\xff".b }, { secret: "n", accept: { a: { secret: SECRET, hashalg: "x" } } },
      { secret: "0" * 64, type: :encrypted_cookie, previous_secret: SECRET },
      { secret: "n", accept: { a: { type: :encrypted_cookie, secret: SECRET } } }
    ]
    wrong.each do |options|
      error = assert_raises(Khufu::Error, ::TypeError) { Khufu::Factory.new(**options) }
      refute_includes error.full_message, "zqxj"
    end
  end

  def test_messages_show_no_contents
    session = open_state('{"zqxj-other":1,"a":"zqxj","_f_":"zqxj","nan":["zqxj",NaN]}')
    [
      -> { session.pop_flash }, -> { session["nan"] }, -> { session["a"] = "zqxj\xff" }, -> { session["a"] = ["zqxj", Object.new] },
      -> { session.store_json("a", '"zqxj') }, -> { session.flash("zqxj") }, -> { (session["b"] = "zqxj" * 2000) and session.commit }
    ].each { |failing| refute_includes assert_raises(Khufu::Error, &failing).full_message, "zqxj" }
  end

  def test_a_refusal_shows_no_contents
    session = factory.open(cookie(%([1,2,{"zqxj":1}]), secret: "x"), now: NOW)
    assert_equal :bad_signature, session.load_result
    refute_includes session.error, "zqxj"
    session = factory.open(cookie(%([1,"zqxj",{}])), now: NOW)
    assert_equal :malformed, session.load_result
    refute_includes session.error, "zqxj"
  end

  def test_generate_secret
    assert_match(/\A\h{128}\z/, Khufu.generate_secret)
    assert_match(/\A\h{128}\z/, Khufu.generate_secret(:signing))
    assert_match(/\A\h{64}\z/, Khufu.generate_secret(:encryption))
    assert_equal 100, Array.new(100) { Khufu.generate_secret }.uniq.length
    error = assert_raises(Khufu::ArgumentError) { Khufu.generate_secret(:nothing) }
    assert_match(/signing or encryption.*nothing/, error.message)
  end
end
