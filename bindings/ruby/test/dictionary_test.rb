# frozen_string_literal: true

require_relative "helper"

# The methods that a session has in common with a Hash.
class DictionaryTest < SessionTest
  STATE = '{"z":1,"a":null,"list":[1,{"b":"c"}]}'

  def setup
    @session = open_state(STATE)
  end

  def test_index
    assert_equal 1, @session["z"]
    assert_equal 1, @session[:z]
    assert_nil @session["a"]
    assert_nil @session["none"]
  end

  def test_assign
    assert_equal 5, (@session[:new] = 5)
    assert_equal 6, @session.store("z", 6)
    assert_equal({ "z" => 6, "a" => nil, "list" => [1, { "b" => "c" }], "new" => 5 }, @session.to_h)
    assert_equal %w[z a list new], @session.keys
    assert_predicate @session, :changed?
  end

  def test_fetch
    assert_equal 1, @session.fetch("z")
    assert_equal 1, @session.fetch(:z, 2)
    assert_nil @session.fetch("a", 2)
    assert_equal 2, @session.fetch("none", 2)
    assert_nil @session.fetch("none", nil)
    assert_equal "none!", @session.fetch("none") { |key| "#{key}!" }
    error = assert_raises(KeyError) { @session.fetch(:none) }
    assert_equal [:none, @session], [error.key, error.receiver]
    assert_includes error.message, "key not found: :none"
  end

  def test_dig
    assert_equal "c", @session.dig("list", 1, "b")
    assert_equal "c", @session.dig(:list, 1, :b)
    assert_equal 1, @session.dig(:z)
    assert_nil @session.dig("none", 1)
    assert_nil @session.dig("list", 5, :b)
    assert_raises(Khufu::TypeError) { @session.dig("z", 1) }
  end

  def test_several_at_once
    assert_equal [1, nil, nil], @session.values_at("z", :none, "a")
    assert_equal [1, nil], @session.fetch_values(:z, :a)
    assert_equal [1, "none"], @session.fetch_values("z", "none", &:itself)
    assert_raises(KeyError) { @session.fetch_values("z", "none") }
    assert_equal({ "a" => nil, "z" => 1 }, @session.slice(:a, "z", :none))
  end

  def test_contains
    %i[key? has_key? include? member?].each do |contains|
      assert @session.public_send(contains, "z")
      assert @session.public_send(contains, :a)
      refute @session.public_send(contains, "Z")
    end
  end

  def test_length
    assert_equal [3, 3, 3], [@session.length, @session.size, @session.count]
    refute_empty @session
    assert_empty open_state
    assert_empty open_state("{}")
  end

  def test_each
    pairs = []
    assert_same(@session, @session.each { |key, value| pairs << [key, value] })
    assert_equal [["z", 1], ["a", nil], ["list", [1, { "b" => "c" }]]], pairs
    assert_equal pairs, @session.each_pair.to_a
    assert_equal pairs, @session.each.to_a
    assert_equal [3, ["z", 1]], [@session.each.size, @session.each.next]
    assert_equal pairs.map(&:first), @session.keys
    assert_equal pairs.map(&:last), @session.values
  end

  def test_each_with_a_block_that_changes_the_session
    @session.each do |key, _|
      @session.delete(key)
      @session["#{key}2"] = 1
    end
    assert_equal %w[z2 a2 list2], @session.keys
    @session.each { @session.clear }
    assert_empty @session
  end

  def test_enumerable
    assert_equal %w[z a list], @session.map { |key, _| key }
    assert_equal ["z", 1], @session.find { |_, value| value == 1 }
    assert_equal [["list", 2]], @session.each_with_index.filter_map { |(key, _), index| [key, index] if index == 2 }
    assert(@session.any? { |_, value| value.nil? })
    assert_equal ["z", 1], @session.first
  end

  def test_to_h
    hash = @session.to_h
    hash["more"] = 1
    refute_includes @session, "more"
    assert_equal JSON.parse(STATE), @session.to_hash
    assert_equal({ z: "Integer", a: "NilClass", list: "Array" }, @session.to_h { |k, v| [k.to_sym, v.class.name] })
    assert_equal({ "z" => 1, "a" => nil, "list" => 3 }, { "list" => 3 }.merge(@session) { |_, mine, _| mine }
      .slice("z", "a", "list"))
  end

  def test_to_json
    assert_equal STATE, @session.to_json
    assert_equal %({"session":#{STATE}}), JSON.generate({ "session" => @session })
    assert_equal "{}", open_state.to_json
    assert_equal Encoding::UTF_8, open_state('{"a":"é"}').to_json.encoding
  end

  def test_delete
    assert_equal 1, @session.delete(:z)
    assert_nil @session.delete("a")
    assert_nil @session.delete("none")
    assert_equal "none?", @session.delete("none") { |key| "#{key}?" }
    assert_equal ["list"], @session.keys
  end

  def test_update
    assert_same @session, @session.update("z" => 2, b: { c: :d })
    assert_equal({ "z" => 2, "a" => nil, "list" => [1, { "b" => "c" }], "b" => { "c" => "d" } }, @session.to_h)
    other = open_state('{"z":3}')
    assert_equal 3, @session.merge!(other)["z"]
    assert_equal 4, @session.update({ "z" => 3, z: 4 })["z"]
    assert_raises(Khufu::JSONError) { @session.update([1]) }
  end

  def test_update_is_all_or_nothing
    @session = open_state(STATE, reissue_time: nil)
    before = @session.to_json
    assert_raises(Khufu::JSONError) { @session.update("z" => 2, "bad" => Object.new) }
    assert_raises(Khufu::RangeError) { @session.update("z" => 2, "bad" => [Float::NAN]) }
    error = assert_raises(Khufu::RangeError) { @session.update("z" => 2, "bad" => [10**4300]) }
    assert_includes error.message, '"bad"'
    assert_raises(Khufu::EncodingError) { @session.update("z" => 2, "bad" => "\xff") }
    assert_equal before, @session.to_json
    refute_predicate @session, :changed?
  end

  def test_update_with_several_hashes_and_a_block
    assert_equal({ "z" => 3, "y" => 1 }, @session.update({ "z" => 2, "y" => 1 }, { z: 3 }).slice("z", "y"))
    @session.update({ "z" => 10, "new" => 1 }) { |key, old, new| [key, old, new] }
    assert_equal({ "z" => ["z", 3, 10], "new" => 1 }, @session.slice("z", "new"))
    assert_same @session, @session.update
  end

  def test_replace
    session = open_state('{"z":1,"deep":[NaN],"a":2}')
    assert_same session, session.replace("a" => 3, new: 4)
    assert_equal({ "a" => 3, "new" => 4 }, session.to_h)
    assert_raises(Khufu::JSONError) { session.replace("b" => proc {}) }
    assert_equal({ "a" => 3, "new" => 4 }, session.to_h)
  end

  def test_methods_that_return_a_hash_leave_the_session_as_it_is
    before = @session.to_json
    assert_equal JSON.parse(STATE).merge("z" => 5, "b" => 1), @session.merge({ "z" => 5 }, { "b" => 1 })
    assert_equal({ "z" => [1, 2] }, @session.merge("z" => 2) { |_, old, new| [old, new] }.slice("z"))
    assert_equal({ "z" => 1 }, @session.select { |_, value| value == 1 })
    assert_equal({ "z" => 1 }, @session.filter { |key, _| key == "z" })
    assert_equal({ "a" => nil }, @session.reject { |_, value| value })
    assert_equal [%w[a list], %w[z list]], [@session.except("z").keys, @session.compact.keys]
    assert_equal %w[Integer NilClass Array], @session.transform_values { |value| value.class.name }.values
    assert_equal before, @session.to_json
  end

  def test_delete_if_and_keep_if
    assert_same(@session, @session.delete_if { |key, value| key == "z" && value == 1 })
    assert_equal %w[a list], @session.keys
    assert_same(@session, @session.keep_if { |_, value| value })
    assert_equal ["list"], @session.keys
    assert_equal [1, 1], [@session.delete_if.size, @session.keep_if.size]
    assert_empty @session.tap { |session| session.delete_if.with_index { |_, index| index.zero? } }
  end

  def test_other_methods_of_a_hash_say_what_to_use
    %i[transform_keys! compact! shift compare_by_identity].each do |name|
      error = assert_raises(NoMethodError) { @session.public_send(name) }
      expected = "a session has no method #{name}: call it on to_h, and write with update"
      assert_equal expected, error.message.lines.first.chomp
      refute_respond_to @session, name
    end
    refute_match(/to_h/, assert_raises(NoMethodError) { @session.none_such }.message)
  end

  def test_clear
    assert_same @session, @session.clear
    assert_empty @session
    assert_predicate @session, :changed?
  end

  def test_setdefault
    assert_equal 1, @session.setdefault("z", 2)
    assert_nil @session.setdefault("a", 2)
    refute_predicate @session, :changed?
    assert_equal [2], @session.setdefault(:new, [2])
    assert_nil @session.setdefault("nothing")
    assert_equal({ "new" => [2], "nothing" => nil }, @session.slice("new", "nothing"))
  end

  def test_keys_are_strings_or_symbols
    [nil, 1, 1.5, Object.new, ["z"]].each do |key|
      assert_raises(Khufu::JSONError) { @session[key] }
      assert_raises(Khufu::JSONError) { @session[key] = 1 }
      assert_raises(Khufu::JSONError) { @session.key?(key) }
      assert_raises(Khufu::JSONError) { @session.delete(key) }
      assert_raises(Khufu::JSONError) { @session.update(key => 1) }
    end
  end

  def test_unusual_keys
    keys = ["", " ", "a\0b", "é", "漢字", "🔑", "\"\\", "k" * 1000, "_csrft_2"]
    session = open_state
    keys.each_with_index { |key, index| session[key] = index }
    session = factory.open(sent_back(session.commit), now: NOW)
    assert_equal keys, session.keys
    keys.each_with_index { |key, index| assert_equal index, session[key] }
  end

  def test_json_text
    session = open_state('{"price":1.10,"name":"\u00e9"}')
    assert_equal "1.10", session.json(:price)
    assert_equal '"\u00e9"', session.json("name")
    assert_nil session.json("none")
    assert_equal "2.50", session.store_json("price", "2.50")
    assert_equal %w[2.50 2.5], [session.json("price"), session["price"].to_s]
    assert_equal [%w[price 2.50], ["name", '"\u00e9"']], session.each_json.to_a
    assert_equal 2, session.each_json.size
    ["", "{", "nul", "[1,]", "NaN", "1 2"].each do |text|
      assert_raises(Khufu::JSONError) { session.store_json("price", text) }
    end
    assert_raises(Khufu::EncodingError) { session.store_json("price", "\"\xff\"") }
    assert_equal "2.50", session.json("price")
  end
end
