# frozen_string_literal: true

require_relative "helper"

# Appending to a list and adding to an integer.
class AddingTest < SessionTest
  def test_append
    session = open_state('{"list":[1]}')
    assert_same session, session.append("list", "é").append(:list, { a: [nil] })
    assert_equal [1, "é", { "a" => [nil] }], session["list"]
    assert_equal [nil], session.append("new", nil)["new"]
    assert_equal({ "list" => session["list"], "new" => [nil] }, factory.open(sent_back(session.commit), now: NOW).to_h)
  end

  def test_append_to_a_value_that_is_not_a_list
    session = open_state('{"a":1,"b":{},"c":null,"list":[1]}', reissue_time: nil)
    %w[a b c].each { |key| assert_raises(Khufu::TypeError) { session.append(key, 1) } }
    assert_raises(Khufu::JSONError) { session.append("list", Object.new) }
    assert_raises(Khufu::RangeError) { session.append("list", Float::NAN) }
    assert_raises(Khufu::EncodingError) { session.append("list", "\xff") }
    assert_raises(Khufu::EncodingError) { session.append("\xff", 1) }
    assert_raises(Khufu::JSONError) { session.append(nil, 1) }
    refute_predicate session, :changed?
  end

  def test_increment
    session = open_state('{"n":1}')
    assert_equal [2, 12, 2, -3], [session.increment("n"), session.increment(:n, 10), session.increment("n", -10), session.increment("new", -3)]
    assert_equal({ "n" => 2, "new" => -3 }, session.to_h)
    limits = [2**63 - 1, -2**63]
    assert_equal limits, [session.increment("most", limits[0]), session.increment("least", limits[1])]
    assert_equal limits, session.values_at("most", "least")
  end

  def test_increment_outside_of_64_bits_or_of_other_types
    session = open_state(%({"a":"1","b":1.5,"c":null,"d":#{2**63 - 1},"e":#{2**70}}), reissue_time: nil)
    %w[a b c].each { |key| assert_raises(Khufu::TypeError) { session.increment(key) } }
    %w[d e].each { |key| assert_raises(Khufu::RangeError) { session.increment(key) } }
    [2**63, -2**63 - 1, 2**200].each { |by| assert_raises(Khufu::RangeError) { session.increment("n", by) } }
    [1.0, "1", nil, 1r, Object.new].each { |by| assert_raises(Khufu::ArgumentError) { session.increment("n", by) } }
    assert_raises(Khufu::JSONError) { session.increment(nil) }
    refute_predicate session, :changed?
  end
end
