# frozen_string_literal: true

require_relative "helper"

# Changed cookies, and hostile cookies with a correct signature, are refused.
class TamperTest < SessionTest
  KEY = "0123456789abcdef" * 4
  # The options of each format, and the sizes in bytes of the parts that precede its payload.
  FORMATS = {
    { type: :signed_cookie, serializer: :json, secret: SECRET } => [64],
    { type: :signed_cookie, serializer: :pickle, secret: SECRET } => [64],
    { type: :encrypted_cookie, serializer: :json, secret: KEY } => [24, 16],
    { type: :encrypted_cookie, serializer: :pickle, secret: KEY } => [24, 16]
  }.freeze

  def test_a_flipped_bit_is_refused
    each_format do |factory, value|
      each_flipped(value) { |flipped| refute_opens factory, flipped }
      each_flipped(decode(value)) { |flipped| refute_opens factory, encode(flipped) }
    end
  end

  def test_a_truncated_cookie_is_refused
    each_format do |factory, value|
      value.length.times { |length| refute_opens factory, value[0, length] }
      bytes = decode(value)
      bytes.bytesize.times do |length|
        refute_opens factory, encode(bytes.byteslice(0, length))
        refute_opens factory, encode(bytes.byteslice(bytes.bytesize - length, length))
      end
    end
  end

  def test_combined_parts_of_two_cookies_are_refused
    FORMATS.each do |options, parts|
      factory = Khufu::Factory.new(**options)
      ada, eve = %w[ada eve].map { |user| decode(written(factory, user)) }
      assert_equal ada.bytesize, eve.bytesize
      start = 0
      [*parts, ada.bytesize - parts.sum].each do |size|
        mixed = ada.dup
        mixed[start, size] = eve[start, size]
        refute_opens factory, encode(mixed)
        start += size
      end
      assert_equal ada.bytesize, start
    end
  end

  def test_a_cookie_of_another_format_is_refused
    FORMATS.each_key do |writing|
      value = written(Khufu::Factory.new(**writing), "ada")
      FORMATS.each_key do |reading|
        factory = Khufu::Factory.new(**reading)
        refute_opens factory, value unless reading == writing
      end
    end
  end

  def test_hostile_pickles_are_refused_by_name
    vectors = vectors("hostile_pickle")
    assert_operator vectors["cases"].length, :>, 100
    factory = factory(serializer: :pickle)
    vectors["cases"].each do |vector|
      session = factory.open("session=#{vector['cookie']}", now: vectors["now"])
      loaded = vector["expected"] == "loaded"
      assert_equal [vector["expected"].to_sym, !loaded], [session.load_result, session.new?], vector["name"]
      next if loaded

      assert_empty session.to_h, vector["name"]
      assert_includes session.error, vector["told"], vector["name"]
    end
  end

  private

  def each_format
    FORMATS.each_key do |options|
      factory = Khufu::Factory.new(**options)
      value = written(factory, "ada")
      assert_equal "ada", factory.open("session=#{value}", now: NOW)["user"]
      yield factory, value
    end
  end

  def written(factory, user)
    session = factory.open(now: NOW)
    session["user"] = user
    sent_back(session.commit).delete_prefix("session=")
  end

  def each_flipped(text)
    (text.bytesize * 8).times do |bit|
      flipped = text.b
      flipped.setbyte(bit / 8, flipped.getbyte(bit / 8) ^ 1 << bit % 8)
      yield flipped
    end
  end

  def decode(value) = value.tr("-_", "+/").ljust((value.length + 3) / 4 * 4, "=").unpack1("m0")

  def encode(bytes) = [bytes].pack("m0").tr("+/", "-_").delete("=")

  def refute_opens(factory, value)
    factory.open("session=".b + value.b, now: NOW) do |session|
      assert_includes %i[bad_signature malformed], session.load_result, value
      assert_predicate session, :new?
      assert_empty session
      refute_nil session.error
    end
  end
end
