# frozen_string_literal: true

require_relative "helper"

# Cookies that Pyramid and pyramid_nacl_session wrote open with the right state, in the same order of keys.
class VectorsTest < SessionTest
  def self.test_vectors(file, *options, **fixed)
    define_method("test_#{file}") do
      vectors = vectors(file)
      refute_empty vectors["cases"]
      vectors["cases"].each do |vector|
        given = options.to_h { |name| [name, vector.fetch(name.name)] }
        assert_opens vector, Khufu::Factory.new(**given, **fixed), vectors["now"]
      end
    end
  end

  test_vectors "pyramid_signed_json", :secret, :salt, :hashalg, :serializer
  test_vectors "pyramid_signed_pickle", :secret, :salt, :hashalg, :serializer
  test_vectors "pyramid_nacl", :secret_hex, :serializer, type: :encrypted_cookie

  private

  def assert_opens(vector, factory, now)
    session = factory.open("session=#{vector['cookie']}", now: now)
    what = vector.slice("name", "serializer", "protocol", "hashalg").inspect
    assert_equal [:loaded, nil, nil], [session.load_result, session.load_format, session.error], what
    state = JSON.parse(vector["state_json"])
    # Compares texts, because 1 == 1.0 and -0.0 == 0.0, and Hashes are equal regardless of their order.
    assert_equal JSON.generate(state), JSON.generate(session.to_h), what
    assert_equal JSON.generate(state), JSON.generate(JSON.parse(session.to_json)), what
    assert_equal state.keys, session.keys, what
    state.each { |key, value| assert_equal JSON.generate(value), JSON.generate(session[key]), what }
    assert_equal [vector["renewed"], vector["created"]], seconds(session.renewed, session.created), what
    refute session.new?, what
    refute_tampered_with vector, factory, now
  end

  def refute_tampered_with(vector, factory, now)
    cookie = vector["cookie"].dup
    place = cookie.length / 2
    cookie[place] = cookie[place] == "A" ? "B" : "A"
    session = factory.open("session=#{cookie}", now: now)
    assert_equal :bad_signature, session.load_result
    assert_empty session.to_h
  end
end
