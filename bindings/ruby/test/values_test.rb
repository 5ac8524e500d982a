# frozen_string_literal: true

require_relative "helper"

# Setting and reading values of every type.
class ValuesTest < SessionTest
  VALUES = [
    nil, true, false, 0, -1, 42, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -2**63, -2**63 - 1, 2**70, -10**300,
    0.0, -0.0, 1.0, 1.1, -1.5e300, 5e-324, 1e16, 1e22, Float::MAX, Float::MIN,
    "", "a", "Zoë", "漢字", "🔑", "a\0b", "\"\\/\b\f\n\r\t", "\u2028", "null", "1", "x" * 2800,
    [], {}, [[]], [nil, [1, "two", { "three" => [4.5] }]], { "" => { "é" => {} } }
  ].freeze

  def test_values_survive_a_round_trip
    VALUES.each do |value|
      session = open_state
      session["value"] = value
      assert_same_value value, session["value"]
      session = factory.open(sent_back(session.commit), now: NOW)
      assert_same_value value, session["value"]
      assert_same_value value, session.to_h["value"]
      assert_same_value value, session.delete("value")
    end
  end

  def test_values_in_flash_setdefault_and_update
    VALUES.each do |value|
      session = open_state
      session.flash(value)
      assert_same_value [value], session.pop_flash
      assert_same_value value, session.setdefault("default", value)
      assert_same_value value, session.update("updated" => value)["updated"]
    end
  end

  def test_symbols_become_strings
    session = open_state
    session["symbol"] = :"é"
    session["list"] = [:a, { b: :c }]
    assert_equal({ "symbol" => "é", "list" => ["a", { "b" => "c" }] }, session.to_h)
  end

  def test_values_that_are_read_are_frozen
    session = open_state('{"list":["a",{"b":"c"}],"text":"a","escaped":"\n","_f_":["m"]}')
    assert_raises(FrozenError) { session["list"] << 1 }
    assert_raises(FrozenError) { session["list"][0] << "b" }
    assert_raises(FrozenError) { session["list"][1]["b"] = 1 }
    assert_raises(FrozenError) { session["text"] << "b" }
    assert_raises(FrozenError) { session["escaped"] << "b" }
    assert_raises(FrozenError) { session.peek_flash << "b" }
    assert(session.each { |_, value| assert_predicate value, :frozen? })
  end

  def test_frozen_strings_can_be_set
    session = open_state
    session["key"] = "value".dup.freeze
    session.flash("message", "queue")
    assert_equal ["value", ["message"]], [session["key"], session.peek_flash("queue")]
  end

  def test_values_without_a_json_form_are_refused
    session = open_state('{"a":1}', reissue_time: nil)
    [Object.new, Time.now, 1r, 1i, 1..2, Class, $stdout, -> {}, Struct.new(:a).new(1)].each do |value|
      [value, [value], { "a" => [value] }].each do |refused|
        assert_raises(Khufu::JSONError) { session["a"] = refused }
        assert_raises(Khufu::JSONError) { session.flash(refused) }
        assert_raises(Khufu::JSONError) { session.setdefault("b", refused) }
      end
    end
    assert_equal '{"a":1}', session.to_json
    refute_predicate session, :changed?
  end

  def test_a_value_that_contains_itself_is_refused
    list = []
    list << list << list
    hash = {}
    hash["deep"] = [hash]
    session = open_state
    [list, hash, [[list]]].each do |value|
      error = assert_raises(Khufu::JSONError) { session["a"] = value }
      assert_equal 'cannot set the key "a": the value contains itself', error.message
    end
    shared = [1]
    session["a"] = [shared, shared, { "b" => shared }]
    assert_equal "[[1],[1],{\"b\":[1]}]", session.json("a")
  end

  def test_the_error_of_a_value_that_is_refused_names_the_key
    session = open_state
    deep = 500.times.reduce(1) { |value, _| [value] }
    { -> {} => "a Proc has no JSON form", Float::NAN => "NaN has no JSON form",
      [deep] => "the value is nested too deeply", "\xff" => "a UTF-8 string has invalid bytes",
      { 1 => 2 } => "expected a String or a Symbol, not Integer",
      10**5000 => "an integer has more than 4,300 digits" }.each do |value, reason|
      [-> { session["key"] = value }, -> { session.setdefault(:key, value) }, -> { session.append("key", value) },
       -> { session.update("a" => 1, "key" => value) }].each do |set|
        assert_operator assert_raises(Khufu::Error, &set).message, :start_with?, "cannot set the key \"key\": #{reason}"
      end
    end
    assert_match(/\Acannot set the key "_f_q": /, assert_raises(Khufu::JSONError) { session.flash(-> {}, "q") }.message)
    assert_empty session
    session["key"] = deep
  end

  def test_numbers_that_are_not_finite_are_refused
    session = open_state('{"a":1}')
    [Float::NAN, Float::INFINITY, -Float::INFINITY].each do |float|
      assert_raises(Khufu::RangeError) { session["a"] = float }
      assert_raises(Khufu::RangeError) { session["a"] = [{ "b" => float }] }
      assert_raises(Khufu::RangeError) { session.flash(float) }
    end
    assert_equal '{"a":1}', session.to_json
  end

  def test_numbers_that_are_not_finite_can_be_read
    state = '{"nan":NaN,"infinity":-Infinity,"deep":[1,{"b":NaN}],"null":null}'
    session = open_state(state)
    assert_predicate session["nan"], :nan?
    assert_equal(-Float::INFINITY, session["infinity"])
    assert_predicate session.to_h["nan"], :nan?
    assert_equal [-Float::INFINITY, [1, { "b" => nil }], nil], session.to_h.values[1..]
    assert_equal '{"nan":null,"infinity":null,"deep":[1,{"b":null}],"null":null}', session.to_json
    assert_raises(Khufu::TypeError) { session["deep"] }
    assert_raises(Khufu::TypeError) { session.fetch("deep", 1) }
    assert_raises(Khufu::TypeError) { session.json("nan") }
    session.mark_changed
    payload = sent_back(session.commit).delete_prefix("session=").tr("-_", "+/").unpack1("m")[64..]
    assert_equal "[#{NOW},#{CREATED},#{state}]", payload
  end

  def test_numbers_that_are_not_finite_can_be_deleted
    session = open_state('{"nan":NaN,"deep":[1,NaN]}')
    assert_predicate session.setdefault("nan", 1), :nan?
    assert_predicate session.delete("nan"), :nan?
    assert_raises(Khufu::TypeError) { session.delete("deep") }
    assert_equal ["deep"], session.keys
    session["deep"] = nil
    assert_nil session.delete("deep")
    assert_empty session
  end

  def test_nesting
    session = open_state
    deep = ->(levels) { levels.times.inject("bottom") { |value, _| [value] } }
    session["deep"] = deep[500]
    assert_equal deep[500], session["deep"]
    session.update("deeper" => deep[499])
    [501, 502, 600, 5000].each do |levels|
      assert_raises(Khufu::JSONError) { session["deep"] = deep[levels] }
      assert_raises(Khufu::JSONError) { session.update("deep" => deep[levels]) }
    end
    endless = []
    endless << endless
    assert_raises(Khufu::JSONError) { session["deep"] = endless }
    session = open_state(%({"deep":#{'[' * 900}#{']' * 900}}))
    assert_equal 900, session["deep"].inspect.count("[")
  end

  def test_half_a_surrogate_pair_reads_as_the_replacement_character
    session = open_state('{"high":"a\ud800b","low":["\udfff"],"pair":"\ud83d\udd11","escaped":"\\\\ud800","\ud800":1}')
    expected = { "high" => "a\ufffdb", "low" => ["\ufffd"], "pair" => "🔑", "escaped" => "\\ud800", "\ufffd" => 1 }
    assert_equal expected, session.to_h
    assert_equal "a\ufffdb", session["high"]
    assert_equal '"a\ud800b"', session.json("high")
  end

  def test_text_is_read_as_utf8
    session = open_state('{"é":"ü","n":["\u00e9"],"_f_":["ö"]}')
    session.csrf_token
    strings = [session["é"], session["n"][0], session.peek_flash[0], session.to_json, session.csrf_token,
               session.new_csrf_token, *session.keys, *session.commit.flatten, Khufu.generate_secret]
    strings.each do |string|
      assert_equal Encoding::UTF_8, string.encoding
      assert_predicate string, :valid_encoding?
    end
  end

  def test_text_of_other_encodings_is_transcoded
    session = open_state
    ["ISO-8859-1", "UTF-16LE", "UTF-16BE", "UTF-32", "Windows-1252"].each do |encoding|
      text = "é à".encode(encoding)
      session[text] = text
      session["list"] = { text => [text] }
      session.flash(text, text)
      assert_equal "é à", session["é à"]
      assert_equal "é à", session[text]
      assert_equal({ "é à" => ["é à"] }, session["list"])
      assert_equal ["é à"], session.pop_flash("é à")
      assert_equal encoding, text.encoding.name
    end
    session["bytes".b] = "but ascii".b
    assert_equal "but ascii", session["bytes"]
  end

  def test_bytes_that_are_not_text_are_refused
    session = open_state('{"a":1}')
    ["\xff", "\xed\xa0\x80", "caf\xc3", "é".b, "\x80".dup.force_encoding("US-ASCII"), "\x00\xd8".dup.force_encoding("UTF-16LE"),
     "\x81".dup.force_encoding("Windows-1252")].each do |bytes|
      assert_raises(Khufu::EncodingError) { session[bytes] }
      assert_raises(Khufu::EncodingError) { session[bytes] = 1 }
      assert_raises(Khufu::EncodingError) { session["a"] = bytes }
      assert_raises(Khufu::EncodingError) { session["a"] = [bytes] }
      assert_raises(Khufu::EncodingError) { session["a"] = { bytes => 1 } }
      assert_raises(Khufu::EncodingError) { session.key?(bytes) }
      assert_raises(Khufu::EncodingError) { session.delete(bytes) }
      assert_raises(Khufu::EncodingError) { session.flash(bytes) }
      assert_raises(Khufu::EncodingError) { session.flash("a", bytes) }
      assert_raises(Khufu::EncodingError) { session.pop_flash(bytes) }
      assert_raises(Khufu::EncodingError) { session.update(bytes => 1) }
      assert_raises(Khufu::EncodingError) { factory(cookie_name: bytes) }
    end
    assert_equal '{"a":1}', session.to_json
  end

  private

  # Compares the texts of the values, because 1 == 1.0 and -0.0 == 0.0.
  def assert_same_value(expected, actual)
    assert_equal [expected.class, expected.inspect], [actual.class, actual.inspect]
  end
end
