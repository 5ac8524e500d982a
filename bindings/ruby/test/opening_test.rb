# frozen_string_literal: true

require_relative "helper"

# Each result of opening a request's cookie.
class OpeningTest < SessionTest
  LOGGED_IN = %([#{RENEWED},#{CREATED},{"user":42}])

  def test_no_cookie
    assert_new_and_empty :none, factory.open(now: NOW)
    assert_new_and_empty :none, factory.open(nil, now: NOW)
    assert_new_and_empty :none, factory.open("", now: NOW)
  end

  def test_cookies_with_other_names
    session = factory.open("sessions=x; other=y", now: NOW)
    assert_equal [:none, true, {}], [session.load_result, session.new?, session.to_h]
    assert_match(/none with the name in the option cookie_name/, session.error)
  end

  def test_loaded
    session = factory.open("a=b; #{cookie(LOGGED_IN)}; c=d", now: NOW)
    assert_equal [:loaded, 42, false], [session.load_result, session["user"], session.new?]
    assert_nil session.load_format
    assert_nil session.error
  end

  def test_previous_secret
    rotating = Khufu::Factory.new(secret: "new", previous_secret: ["other", SECRET])
    session = rotating.open(cookie(LOGGED_IN), now: NOW)
    assert_equal [:loaded_previous_secret, 42], [session.load_result, session["user"]]
    assert_predicate session, :changed?
    again = Khufu::Factory.new(secret: "new").open(sent_back(session.commit), now: NOW)
    assert_equal [:loaded, 42], [again.load_result, again["user"]]
  end

  def test_other_format
    moving = Khufu::Factory.new(
      secret: "new", accept: { strange: { secret: "no" }, pyramid1: { secret: SECRET, salt: "x", previous_secret: ["y"] } }
    )
    session = moving.open(cookie(LOGGED_IN, salt: "x"), now: NOW)
    assert_equal [:loaded_other_format, "pyramid1", 42], [session.load_result, session.load_format, session["user"]]
    again = Khufu::Factory.new(secret: "new").open(sent_back(session.commit), now: NOW)
    assert_equal [:loaded, 42], [again.load_result, again["user"]]
    assert_equal "pyramid1", moving.open(cookie(LOGGED_IN, secret: "y", salt: "x"), now: NOW).load_format
  end

  def test_expired
    header = cookie(LOGGED_IN)
    assert_equal :loaded, factory.open(header, now: RENEWED + 1200).load_result
    assert_new_and_empty :expired, factory.open(header, now: RENEWED + 1201), RENEWED + 1201
    assert_equal :loaded, factory(timeout: nil).open(header, now: 2**37).load_result
  end

  def test_bad_signature
    assert_new_and_empty :bad_signature, factory.open(cookie(LOGGED_IN, secret: "another"), now: NOW)
    assert_new_and_empty :bad_signature, factory(salt: "another").open(cookie(LOGGED_IN), now: NOW)
  end

  def test_malformed
    assert_new_and_empty :malformed, factory.open("session=!", now: NOW)
    assert_new_and_empty :malformed, factory.open("session=QUJD", now: NOW)
    ["{}", "[1,2]", "[1,2,[]]", '["1",2,{}]', "[NaN,2,{}]", "\xff", ""].each do |payload|
      assert_new_and_empty :malformed, factory.open(cookie(payload), now: NOW)
    end
  end

  def test_unsupported
    # [1700000000, 1700000000.0, {"today": datetime.date(2024, 1, 2)}], pickled at protocol 2
    pickle = "\x80\x02]q\x00(J\x00\xf1SeGA\xd9T\xfc@\x00\x00\x00}q\x01X\x05\x00\x00\x00todayq\x02" \
             "cdatetime\ndate\nq\x03C\x04\x07\xe8\x01\x02q\x04\x85q\x05Rq\x06se.".b
    session = factory(serializer: :pickle).open(cookie(pickle), now: NOW)
    assert_new_and_empty :unsupported, session
    session["a"] = 1
    assert_raises(Khufu::UnsupportedError) { session.commit }
    session.invalidate
    session["a"] = 1
    assert_equal 1, committed(session).length
  end

  def test_several_cookies_with_the_name
    header = [cookie(LOGGED_IN), "session=junk", cookie(LOGGED_IN, secret: "x")].join("; ")
    assert_equal :loaded, factory.open(header, now: NOW).load_result
  end

  def test_header_with_arbitrary_bytes
    # Rack servers give headers the encoding ASCII-8BIT.
    header = "junk=\xff\x00; #{cookie(LOGGED_IN)}".b.freeze
    assert_equal :loaded, factory.open(header, now: NOW).load_result
    assert_equal :loaded, factory.open(header.dup.force_encoding("UTF-8"), now: NOW).load_result
    assert_equal :loaded, factory.open(cookie(LOGGED_IN).encode("US-ASCII"), now: NOW).load_result
  end

  def test_now
    assert_equal NOW, factory.open(nil, now: Time.at(NOW)).created.to_i
    assert_equal [CREATED], seconds(factory.open(nil, now: Time.at(CREATED)).created)
    assert_in_delta 1.5, factory.open(nil, now: 1.5).created.to_f
    assert_in_delta 0.5, factory.open(nil, now: 1/2r).created.to_f
    assert_in_delta Time.now, factory.open.created, 10
    [Float::NAN, Float::INFINITY, -Float::INFINITY].each do |now|
      assert_raises(Khufu::ArgumentError) { factory.open(nil, now: now) }
    end
    [Object.new, "1", 1i, -1, Time.at(-1), 253_402_300_800].each do |now|
      assert_raises(Khufu::ArgumentError) { factory.open(nil, now: now) }
    end
    assert_equal 0, factory.open(nil, now: 0).created.to_i
  end

  def test_timeout
    [-1, -0.001, Float::NAN, "1", 1i, Object.new, Time.at(1)].each do |timeout|
      assert_raises(Khufu::ArgumentError) { factory.open(nil, timeout: timeout) }
      assert_raises(Khufu::ArgumentError) { factory.open_value("x", timeout: timeout) }
    end
    [0, 0.5, 1/2r, 2**70, nil].each { |timeout| assert_equal :loaded, factory.open(cookie(LOGGED_IN), now: NOW, timeout: timeout).load_result }
  end

  def test_passive
    session = factory.open(cookie(LOGGED_IN), now: NOW, passive: true)
    assert_equal [42, false], [session["user"], session.changed?]
    assert_empty set_cookies(session.commit)
    session["user"] = 43
    assert_equal 43, factory.open(sent_back(session.commit), now: NOW)["user"]
    active = factory.open(cookie(LOGGED_IN), now: NOW, passive: false)
    assert_equal [42, true], [active["user"], active.changed?]
  end

  def test_a_value_without_a_cookie_header
    session = factory.open_value(sign(LOGGED_IN), now: NOW)
    assert_equal [:loaded, 42], [session.load_result, session["user"]]
    assert_equal 42, factory.open_value(sign(LOGGED_IN), now: NOW) { |opened| opened["user"] }
    refute_predicate factory.open_value(sign(LOGGED_IN), now: NOW, passive: true).tap { |opened| opened["user"] }, :changed?
    assert_new_and_empty :none, factory.open_value(nil, now: NOW)
    assert_new_and_empty :bad_signature, factory.open_value(sign(LOGGED_IN, secret: "x"), now: NOW)
    ["", "junk", "\xff\x00", cookie(LOGGED_IN)].each { |value| assert_equal :malformed, factory.open_value(value, now: NOW).load_result, value }
    [1, :a, []].each { |value| assert_raises(Khufu::ArgumentError) { factory.open_value(value) } }
  end

  def test_the_value_of_a_session
    session = open_state
    assert_nil session.value
    session["a"] = 1
    assert_nil session.value
    session.commit
    assert_equal "session=#{session.value}", sent_back(session.headers)
    assert_equal({ "a" => 1 }, factory.open_value(session.value, now: NOW).to_h)
    assert_equal Encoding::UTF_8, session.value.encoding
    assert_nil session.invalidate.tap(&:commit).value
    [factory, factory(type: :store)].each do |each|
      first = each.open(now: NOW).update("a" => 1)
      first.commit
      again = each.open_value(first.value, now: NOW)
      assert_equal({ "a" => 1 }, each.open_value(again.value, now: NOW).to_h)
    end
  end

  def test_block_yields_the_session_and_closes_it
    opened = nil
    result = factory.open(cookie(LOGGED_IN), now: NOW) do |session|
      opened = session
      refute_predicate session, :closed?
      session["user"]
    end
    assert_equal 42, result
    assert_predicate opened, :closed?
    assert_raises(RuntimeError) { factory.open { |session| opened = session and raise } }
    assert_predicate opened, :closed?
  end

  private

  def assert_new_and_empty(load_result, session, now = NOW)
    assert_equal load_result, session.load_result
    assert_predicate session, :new?
    assert_empty session
    assert_equal now, session.created.to_i
    load_result == :none ? assert_nil(session.error) : assert_match(/\w+ \w+/, session.error)
  end
end
