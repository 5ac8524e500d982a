# frozen_string_literal: true

require_relative "helper"
require_relative "redis_server"

# Sessions that pyramid_session_redis, pyramid_redis_sessions and Beaker wrote open with the right state, and can be
# written again.
class OriginalsTest < SessionTest
  # The vectors were written between these times. None has expired at the second.
  WRITTEN = 1_795_442_010
  LATER = 1_795_442_100

  %w[pyramid_session_redis pyramid_redis_sessions beaker].each do |library|
    define_method("test_#{library}") do
      vectors = vectors(library)
      refute_empty vectors["cases"]
      RedisServer.run do |redis|
        vectors["cases"].each { |vector| assert_opens vector, factory_of(vector, library, redis), redis }
      end
    end
  end

  private

  def factory_of(vector, library, redis)
    options = { library: library, serializer: vector["serializer"], secret: vector["secret"] || vector["validate_key"] }
    options[:cookie_name] = "beaker.session.id" if library == "beaker"
    if stored?(vector)
      options.update(type: :store, store: redis.url)
    elsif vector["encrypt_key"]
      options.update(type: :encrypted_cookie, encrypt_key: vector["encrypt_key"])
    end
    Khufu::Factory.new(**options)
  end

  def stored?(vector) = vector["records"].any?

  def assert_opens(vector, factory, redis)
    what = vector.slice("name", "serializer", "kind").inspect
    put vector["records"], redis
    header = sent_back([["Set-Cookie", vector["set_cookie"].strip]])
    session = assert_loaded(vector, factory, header, what)
    headers = session.mark_changed.commit
    assert_equal stored?(vector), set_cookies(headers).empty?, what
    header = sent_back(headers) unless stored?(vector)
    assert_equal session.created, assert_loaded(vector, factory, header, what).created, what
    refute_tampered_with header, factory
    refute_without_record header, factory, redis if stored?(vector)
  end

  def put(records, redis)
    assert_equal "+OK", redis.call("FLUSHALL")
    records.each do |key, record|
      assert_equal "+OK", redis.call("SET", key, record["value_base64"].unpack1("m0"), "EX", record["ttl"])
    end
  end

  def assert_loaded(vector, factory, header, what)
    session = factory.open(header, now: LATER)
    assert_equal [:loaded, nil, false], [session.load_result, session.error, session.new?], what
    state = JSON.parse(vector["state_json"])
    assert_equal JSON.generate(state), JSON.generate(session.to_h), what
    assert_includes WRITTEN..LATER, session.created.to_f, what
    session
  end

  def refute_tampered_with(header, factory)
    place = header.length - 10
    tampered = header.dup.tap { |text| text[place] = text[place] == "A" ? "B" : "A" }
    session = factory.open(tampered, now: LATER)
    assert_equal [:bad_signature, {}], [session.load_result, session.to_h]
  end

  def refute_without_record(header, factory, redis)
    redis.call("FLUSHALL")
    session = factory.open(header, now: LATER)
    assert_equal [:missing, {}], [session.load_result, session.to_h]
  end
end
