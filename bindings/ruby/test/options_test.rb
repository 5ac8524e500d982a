# frozen_string_literal: true

require_relative "helper"

# Options as keywords of Ruby.
class OptionsTest < SessionTest
  def test_values_of_each_kind
    [
      { secure: true, httponly: false, set_on_exception: true }, { timeout: 1200, max_age: 0, reissue_time: 5 },
      { timeout: nil, reissue_time: nil, max_age: nil, domain: nil, path: nil, samesite: nil },
      { samesite: :Lax, hashalg: :sha256, type: :signed_cookie, serializer: :json },
      { samesite: "strict", hashalg: "sha1", salt: "é", cookie_name: "sid", domain: "example.com", timeout: "5" }
    ].each { |options| assert_instance_of Khufu::Factory, factory(**options) }
  end

  def test_every_option_of_the_documentation
    given = {
      type: "signed_cookie", serializer: "json", secret: "a", previous_secret: %w[b c], previous_secret_hex: ["00ff"],
      salt: "salt", hashalg: "sha384", cookie_name: "sid", max_age: 1, path: "/", domain: "example.com", secure: true,
      httponly: true, samesite: "None", timeout: 2, reissue_time: 1, set_on_exception: false
    }
    assert_instance_of Khufu::Factory, Khufu::Factory.new(**given)
    assert_instance_of Khufu::Factory, Khufu::Factory.new(secret_hex: "00ff")
  end

  def test_a_secret_can_be_given_as_text_or_as_bytes
    # As WebOb does, text is encoded in latin-1 if every character fits.
    hex = "73e963726574"
    session = Khufu::Factory.new(secret_hex: hex).open(now: NOW)
    session["a"] = 1
    header = sent_back(session.commit)
    [{ secret: "sécret" }, { secret: "sécret".encode("ISO-8859-1") }, { secret: :sécret }, { secret_hex: hex.upcase }].each do |options|
      assert_equal :loaded, Khufu::Factory.new(**options).open(header, now: NOW).load_result
    end
  end

  def test_previous_secrets
    cookie = cookie("[#{RENEWED},#{CREATED},{}]")
    [SECRET, [SECRET], ["a", SECRET, "b"], [SECRET, "é"]].each do |previous|
      assert_equal :loaded_previous_secret, Khufu::Factory.new(secret: "n", previous_secret: previous).open(cookie, now: NOW).load_result
    end
    assert_equal :loaded_previous_secret,
                 Khufu::Factory.new(secret: "n", previous_secret_hex: [SECRET.unpack1("H*")]).open(cookie, now: NOW).load_result
    assert_equal :bad_signature, Khufu::Factory.new(secret: "n", previous_secret: []).open(cookie, now: NOW).load_result
  end

  def test_accepted_formats_are_tried_in_their_order
    cookie = cookie("[#{RENEWED},#{CREATED},{}]")
    ours = { secret: SECRET }
    { { "one" => ours, two: ours } => "one", { two: ours, one: ours } => "two", { "x-1" => { secret: "x" }, z: ours } => "z" }
      .each do |accept, format|
        session = Khufu::Factory.new(secret: "new", accept: accept).open(cookie, now: NOW)
        assert_equal [:loaded_other_format, format], [session.load_result, session.load_format]
      end
  end

  def test_wrong_options
    {
      { colour: "red" } => /colour/, { timeout: "soon" } => /timeout.*soon/, { timeout: 1.5 } => /timeout.*1\.5/,
      { timeout: -1 } => /timeout/, { secure: "maybe" } => /secure.*true or false.*maybe/,
      { samesite: "Sideways" } => /samesite.*Lax.*Sideways/, { hashalg: :md5 } => /hashalg.*sha512.*md5/,
      { cookie_name: "a b" } => /cookie_name/, { path: "/;x" } => /path/, { serializer: "xml" } => /serializer.*json.*xml/,
      { type: "plain" } => /type.*signed_cookie.*plain/, { samesite: "None" } => /secure.*samesite/,
      { accept: { "a b": { secret: "x" } } } => /accept/, { accept: { a: { colour: 1 } } } => /accept\.a\.colour/,
      { accept: { a: { serializer: "json" } } } => /secret/, { type: :encrypted_cookie } => /secret/
    }.each do |options, message|
      error = assert_raises(Khufu::OptionError, options.inspect) { factory(**options) }
      assert_match message, error.message
    end
    assert_match(/secret/, assert_raises(Khufu::OptionError) { Khufu::Factory.new }.message)
  end

  def test_values_of_the_wrong_type
    { timeout: Object.new, secret: { a: 1 }, accept: [1] }.each do |name, value|
      assert_match(/\b#{name}\b/, assert_raises(Khufu::OptionError) { factory(name => value) }.message)
    end
    assert_raises(Khufu::OptionError) { factory(accept: { a: 1 }) }
    assert_raises(Khufu::OptionError) { factory(previous_secret: [["a"], 1..2]) }
  end

  def test_wrong_secrets
    [{ secret: "" }, { secret: nil }, { secret_hex: "" }, { secret_hex: "abc" }, { secret_hex: "xy" }, { secret: "a", secret_hex: "00" },
     { secret: "a", previous_secret: [""] }, { secret: "short", type: :encrypted_cookie },
     { secret: "0" * 63, type: :encrypted_cookie }, { secret: "g" * 64, type: :encrypted_cookie },
     { secret: "0" * 64, previous_secret: "00", type: :encrypted_cookie }].each do |options|
      assert_raises(Khufu::OptionError, options.inspect) { Khufu::Factory.new(**options) }
    end
  end

  def test_encrypted_cookie
    secret = Khufu.generate_secret(:encryption)
    factory = Khufu::Factory.new(type: :encrypted_cookie, secret: secret)
    session = factory.open(now: NOW)
    session["user"] = "ada"
    header = sent_back(session.commit)
    assert_equal "ada", Khufu::Factory.new(type: :encrypted_cookie, secret_hex: secret).open(header, now: NOW)["user"]
    other = Khufu::Factory.new(type: :encrypted_cookie, secret: Khufu.generate_secret(:encryption))
    assert_equal :bad_signature, other.open(header, now: NOW).load_result
    [7, 30, 60, header.length - 2].each do |place|
      tampered = header.dup.tap { |text| text[place + 1] = text[place + 1] == "A" ? "B" : "A" }
      refute_equal :loaded, factory.open(tampered, now: NOW).load_result
    end
  end

  def test_moving_from_pickle_to_json_to_encrypted
    key = Khufu.generate_secret(:encryption)
    old = factory(serializer: :pickle)
    moving = Khufu::Factory.new(
      type: :encrypted_cookie, secret: key,
      accept: { json: { secret: SECRET }, pyramid1: { serializer: :pickle, secret: SECRET } }
    )
    { pyramid1: old, json: factory }.each do |format, before|
      session = before.open(now: NOW)
      session["cart"] = [{ "sku" => "é", "n" => 2**70 }]
      session = moving.open(sent_back(session.commit), now: NOW)
      assert_equal [:loaded_other_format, format.name], [session.load_result, session.load_format]
      session = Khufu::Factory.new(type: :encrypted_cookie, secret: key).open(sent_back(session.commit), now: NOW)
      assert_equal [:loaded, [{ "sku" => "é", "n" => 2**70 }]], [session.load_result, session["cart"]]
    end
  end
end
