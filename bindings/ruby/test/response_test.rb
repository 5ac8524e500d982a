# frozen_string_literal: true

require_relative "helper"
require "minitest/mock"
require "rack"

# commit_to with the headers of Rack 2 (the installed Rack and its Lint) and of Rack 3.
class ResponseTest < SessionTest
  # Checks a response's headers as the Lint of Rack 3 does.
  class Lint3
    def initialize(app) = @app = app

    def call(env)
      @app.call(env).tap do |_, headers, _|
        raise "the headers must be a Hash that is not frozen" if !headers.instance_of?(Hash) || headers.frozen?

        headers.each { |name, value| check(name, value) }
      end
    end

    private

    def check(name, value)
      raise "the name #{name} must be in lower case" unless name.is_a?(String) && name.match?(/\A[!-9;-@\[-~]+\z/) && name !~ /[A-Z]/
      raise "#{name}: must be a String or an Array" unless [String, Array].include?(value.class)

      Array(value).each do |each|
        raise "#{name}: must hold Strings without control characters" unless each.instance_of?(String) && each !~ /[\0-\x1f]/
      end
    end
  end

  # A middleware that adds a cookie, as Rack::Utils.set_cookie_header! does in Rack 2 and in Rack 3.
  class Outer
    def initialize(app) = @app = app

    def call(env)
      @app.call(env).tap do |_, headers, _|
        next Rack::Utils.set_cookie_header!(headers, "outer", "1") if Rack.release.to_i < 3

        case header = headers["set-cookie"]
        when Array then header << "outer=1"
        when nil then headers["set-cookie"] = "outer=1"
        else headers["set-cookie"] = [header, "outer=1"]
        end
      end
    end
  end

  USES = {
    untouched: ->(_) {}, read: ->(session) { session["a"] }, written: ->(session) { session["a"] = 1 },
    ended: ->(session) { session.invalidate }
  }.freeze
  COOKIES = { untouched: [], read: [/session=\S+;/], written: [/session=\S+;/], ended: [/session=;/] }.freeze
  CACHING = { untouched: [nil, nil], read: %w[Cookie private], written: %w[Cookie private], ended: %w[Cookie no-store] }.freeze

  def test_a_response_passes_lint
    each_rack do |lint|
      USES.each do |use, with|
        headers = answer(lint) { |session| with.call(session) }
        cookies = lines(header(headers, "set-cookie"))
        assert_equal "outer=1", cookies.pop
        assert_equal COOKIES[use].length, cookies.length, use
        COOKIES[use].zip(cookies) { |expected, cookie| assert_match expected, cookie }
        assert_equal CACHING[use], [header(headers, "vary"), header(headers, "cache-control")], use
      end
    end
  end

  def test_repeated_commits_send_one_cookie
    each_rack do |lint|
      headers = answer(lint, { header_named("Set-Cookie") => "theme=dark" }) do |session, given|
        session["a"] = 1
        session.commit_to(given)
        session["b"] = 2
      end
      theme, cookie, outer = lines(header(headers, "set-cookie"))
      assert_equal ["theme=dark", "outer=1"], [theme, outer]
      assert_equal({ "a" => 1, "b" => 2 }, factory.open(cookie[/[^;]*/], now: NOW).to_h)
      assert_equal "Cookie", header(headers, "vary")
    end
  end

  def test_a_commit_without_changes_keeps_the_cookie
    session = open_state
    session["a"] = 1
    before = session.commit_to({})
    assert_equal before, session.commit_to(before.dup)
  end

  def test_a_cookie_added_by_hand_is_replaced
    session = open_state
    session["a"] = 1
    headers = { "set-cookie" => committed(session) << "theme=dark" }
    session["a"] = 2
    theme, cookie = lines(session.commit_to(headers)["set-cookie"])
    assert_equal ["theme=dark", 2], [theme, factory.open(cookie[/[^;]*/], now: NOW)["a"]]
  end

  def test_existing_header_values_are_kept
    {
      { "Vary" => "Accept" } => { "Vary" => "Accept, Cookie", "Cache-Control" => "private" },
      { "vary" => "Accept, cookie" } => { "vary" => "Accept, cookie", "Cache-Control" => "private" },
      { "vary" => "*", "cache-control" => "no-store" } => { "vary" => "*", "cache-control" => "no-store" },
      { "vary" => ["Accept"], "Cache-Control" => "max-age=60" } => { "vary" => "Accept, Cookie", "Cache-Control" => "max-age=60, private" },
      { "Vary" => "", "Cache-Control" => "" } => { "Vary" => "Cookie", "Cache-Control" => "private" },
      { "Vary" => "Cookies", "Cache-Control" => "Private, max-age=5" } => { "Vary" => "Cookies, Cookie", "Cache-Control" => "Private, max-age=5" },
      { "Vary" => "*", "Cache-Control" => "Public, max-age=60, S-MaxAge=9" } => { "Vary" => "*", "Cache-Control" => "max-age=60, private" },
      { "Vary" => "*", "Cache-Control" => 'private="a, public, b", x="s-maxage"' } =>
        { "Vary" => "*", "Cache-Control" => 'private="a, public, b", x="s-maxage", private' },
      { "Vary" => "*", "Cache-Control" => "public, no-store, s-maxage=1" } => { "Vary" => "*", "Cache-Control" => "no-store" },
      { "Vary" => "*", "Cache-Control" => %w[publicity no-cache] } => { "Vary" => "*", "Cache-Control" => "publicity, no-cache, private" }
    }.each do |given, expected|
      session = open_state
      session["a"] = 1
      headers = session.commit_to(given.dup)
      assert_equal expected, headers.except("Set-Cookie")
    end
  end

  def test_the_end_of_a_session_is_not_stored
    {
      "max-age=60" => "max-age=60, no-store", "private" => "private, no-store", "public" => "no-store", "no-store" => "no-store"
    }.each do |given, expected|
      headers = open_state('{"a":1}').invalidate.commit_to({ "Cache-Control" => given })
      assert_equal expected, headers["Cache-Control"]
    end
  end

  def test_only_cookies_with_the_name_path_and_domain_of_the_session_are_replaced
    session = open_state(nil, path: "/app", domain: "example.com", cookie_name: "sid")
    others = ["sid=1", "sid=2; Path=/app", "sid=3; Domain=example.com", "sid=4; Path=/; Domain=example.com",
              "sid=5; Path=/app; Domain=www.example.com", "sids=6; Path=/app; Domain=example.com", "theme=sid; Path=/app"]
    same = ["sid=7; domain=.EXAMPLE.com; path=/app; Secure", "sid=; Domain=example.com; Max-Age=0; Path=/app"]
    session["a"] = 1
    *kept, cookie = lines(session.commit_to({ "set-cookie" => others + same })["set-cookie"])
    assert_equal others, kept
    assert_match(/\Asid=[\w-]+; Domain=example.com;/, cookie)
  end

  def test_a_new_session_after_invalidate_sends_only_its_own_cookie
    session = open_state('{"a":1}', domain: "example.com").invalidate
    headers = session.commit_to({ "set-cookie" => [] })
    assert_equal 2, lines(headers["set-cookie"]).length
    session["b"] = 1
    cookies = lines(session.commit_to(headers)["set-cookie"])
    assert_equal [1, { "b" => 1 }], [cookies.length, factory.open(cookies[0][/[^;]*/], now: NOW).to_h]
  end

  def test_a_session_that_another_request_has_ended_takes_its_cookie_back
    factory = factory(type: :store)
    session = factory.open
    session["a"] = 1
    each_rack do
      headers = session.commit_to({ header_named("Set-Cookie") => "theme=dark" })
      alone = session.commit_to({})
      factory.open_value(session.value).invalidate.commit
      session["b"] = 1
      [headers, alone].each { |each| assert_raises(Khufu::GoneError) { session.commit_to(each) } }
      assert_equal ["theme=dark"], lines(header(session.add_headers_to(headers), "set-cookie"))
      assert_equal %w[cache-control vary], session.add_headers_to(alone).keys.map(&:downcase).sort
      session = factory.open.tap { |other| other["a"] = 1 }
    end
  end

  def test_after_an_error_the_headers_are_as_they_were
    session = open_state('{"a":1}')
    headers = { "vary" => "Accept" }
    session["large"] = "x" * 5000
    assert_raises(Khufu::TooLargeError) { session.commit_to(headers) }
    assert_equal({ "vary" => "Accept" }, headers)
    [headers.dup.freeze, [], nil].each do |wrong|
      assert_raises(Khufu::ArgumentError) { session.commit_to(wrong) }
      assert_raises(Khufu::ArgumentError) { session.add_headers_to(wrong) }
    end
  end

  def test_the_options_are_those_of_commit
    session = open_state(nil, set_on_exception: false)
    session["a"] = 1
    refute session.commit_to({}, exception: true).key?("Set-Cookie")
    assert session.commit_to({}, timeout: 1).key?("Set-Cookie")
  end

  private

  # Runs a test with the installed Rack, which is Rack 2, and as if it were Rack 3.
  def each_rack
    assert_equal 2, Rack.release.to_i
    yield Rack::Lint
    Rack.stub(:release, "3.1.0") { yield Lint3 }
  end

  # Returns the headers of an application that uses its session, with a middleware around it and a Lint around each.
  def answer(lint, given = {})
    sessions = factory
    app = lambda do |env|
      headers = { header_named("Content-Type") => "text/plain" }.merge(given)
      session = sessions.open(env["HTTP_COOKIE"], now: NOW)
      yield session, headers
      [200, session.commit_to(headers), ["Hello"]]
    end
    env = Rack::MockRequest.env_for("/", "HTTP_COOKIE" => cookie("[#{RENEWED},#{CREATED},{}]"))
    _, headers, body = lint.new(Outer.new(lint.new(app))).call(env)
    body.close if body.respond_to?(:close)
    headers
  end

  def header_named(name) = Rack.release.to_i < 3 ? name : name.downcase

  def header(headers, name) = headers.find { |present, _| present.casecmp?(name) }&.last

  def lines(value) = Array(value).flat_map { |each| each.split("\n") }
end
