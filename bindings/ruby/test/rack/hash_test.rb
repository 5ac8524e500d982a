# frozen_string_literal: true

require_relative "helper"

# Rack's session Hash: what an application may do with it, by the documentation of rack-session.
class RackHashTest < RackTest
  def test_a_session_lasts_from_request_to_request
    each_kind do |visitor|
      3.times { |n| assert_equal n + 1, visitor.with_session { |session| session["n"] = (session["n"] || 0) + 1 } }
    end
  end

  def test_a_key_may_be_a_symbol
    each_kind do |visitor|
      visitor.get { |session| session[:a] = { b: :c } }
      assert_equal [{ "b" => "c" }] * 2, visitor.with_session { |session| [session["a"], session[:a]] }
    end
  end

  def test_values_can_be_changed_in_place
    each_kind do |visitor|
      visitor.get { |session| session.update("list" => [1], "hash" => { "a" => ["x"] }, "text" => "y", "other" => 1.1) }
      visitor.get { |session| (session["list"] << 2) && (session["hash"]["a"][0] << "!") && session["text"].upcase! }
      assert_equal({ "list" => [1, 2], "hash" => { "a" => ["x!"] }, "text" => "Y", "other" => 1.1 }, visitor.contents)
    end
  end

  def test_keys_can_be_removed
    each_kind do |visitor|
      visitor.get { |session| session.update("a" => 1, "b" => 2, "c" => 3) }
      assert_equal 1, visitor.with_session { |session| session.delete("a") }
      visitor.get { |session| session["b"] = nil }
      assert_equal({ "c" => 3 }, visitor.contents)
      visitor.get { |session| session.clear }
      assert_empty visitor.contents
    end
  end

  def test_the_methods_of_a_hash
    each_kind do |visitor|
      visitor.get { |session| session.replace("a" => 1, "b" => [{ "c" => 2 }]) }
      visitor.get do |session|
        assert_equal [1, nil, 3, 1], [session.fetch("a"), session["z"], session.fetch("z", 3), session.fetch(:a) { 4 }]
        assert_raises(KeyError) { session.fetch("z") }
        assert_equal [2, 2], [session.dig("b", 0, "c"), session.length]
        assert_equal [true, true, false], [session.key?("a"), session.include?(:b), session.has_key?("c")]
        assert_equal [%w[a b], [1, [{ "c" => 2 }]]], [session.keys, session.values]
        assert_equal [["a", 1], ["b", [{ "c" => 2 }]]], session.each.to_a
        assert_equal({ "a" => 1 }, session.to_h.except("b"))
        refute_predicate session.to_hash, :frozen?
        refute_empty session
      end
    end
  end

  def test_the_methods_that_a_hash_has_and_racks_sessions_lack
    each_kind do |visitor|
      visitor.get { |session| session.merge!("a" => 1, "b" => 2, "c" => 3) }
      visitor.get do |session|
        assert_equal({ "a" => 1, "b" => 2, "c" => 3, "d" => 4 }, session.merge("d" => 4))
        assert_equal({ "a" => 1 }, session.select { |_, value| value == 1 })
        assert_equal({ "b" => 2, "c" => 3 }, session.except("a"))
        assert_same(session, session.delete_if { |key, _| key == "a" })
        assert_same(session, session.keep_if { |_, value| value == 2 })
        assert_match(/to_h.*update/, assert_raises(NoMethodError) { session.transform_keys!(&:upcase) }.message)
        assert_raises(NoMethodError) { session.none_such }
      end
      assert_equal({ "b" => 2 }, visitor.contents)
    end
  end

  def test_inspecting_shows_no_contents
    each_kind do |visitor|
      visitor.get { |session| session["secret"] = "hidden" }
      texts = visitor.with_session { |session| [session.inspect, session["secret"], session.inspect] }
      assert_equal ["#<Rack::Session::Khufu::Hash>", "hidden", "#<Rack::Session::Khufu::Hash>"], texts
    end
  end

  def test_whether_there_is_a_session
    each_kind do |visitor|
      state = ->(session) { [session.exists?, session.empty?, session["a"]] }
      assert_equal [false, true, nil], visitor.with_session { |session| state[session] }
      visitor.get { |session| session["a"] = 1 }
      assert_equal [true, false, 1], visitor.with_session { |session| state[session] }
    end
  end

  def test_the_id_may_be_logged
    visitor = in_store
    texts = ->(session) { (session["a"] ||= 1) && [session.id&.public_id, session["session_id"]] }
    first, second, third = Array.new(3) { visitor.with_session { |session| texts[session] } }
    id = second.first
    assert_equal [[nil, nil], [id, id], [id, id]], [first, second, third]
    assert_match(/\A\h{64}\z/, id)
    refute_includes visitor.cookie, id
    visitor.get(cookie: "session=#{id}") { |session| refute_predicate session, :exists? }
    assert_nil(in_cookie.with_session { |session| (session["a"] = 1) && session.id })
  end

  def test_the_session_of_an_outer_middleware_is_taken_over
    each_kind do |visitor|
      visitor.get("rack.session": { "from" => "outside" }) { |session| session["own"] = 1 }
      assert_equal({ "from" => "outside", "own" => 1 }, visitor.contents)
    end
  end

  def test_values_that_python_wrote_stay_as_they_are
    state = '{"price":1.10,"big":1180591620717411303424,"half":"\ud800","nan":NaN,"deep":[NaN],"none":null}'
    payload = "[#{Time.now.to_i},#{Time.now.to_i},#{state}]"
    visitor = RackTest::Visitor.new({}, cookie: cookie(payload))
    visitor.get { |session| session["new"] = session["big"] + 1 }
    written = visitor.cookie.delete_prefix("session=").tr("-_", "+/").unpack1("m").byteslice(64..)
    assert_includes written, "#{state.delete_suffix('}')},\"new\":1180591620717411303425}"
  end
end
