# frozen_string_literal: true

require_relative "helper"
require "tmpdir"

# The options of the middleware, and those of one request (`session.options`).
class RackOptionsTest < RackTest
  def test_renew_gives_a_session_in_a_store_a_new_id_and_keeps_its_data
    visitor = in_store(regenerate_grace: 0)
    visitor.get { |session| session["a"] = 1 }
    before = visitor.cookie
    visitor.get { |session| (session["user"] = "ada") && (session.options[:renew] = true) }
    refute_equal before, visitor.cookie
    assert_equal({ "a" => 1, "user" => "ada" }, visitor.contents)
    assert_empty visitor.contents(cookie: before)
  end

  def test_renew_is_possible_without_using_the_session
    visitor = in_store
    visitor.get { |session| session["a"] = 1 }
    assert_equal 1, visitor.sent { |session| session.options[:renew] = true }.length
    assert_empty(in_store.sent { |session| session.options[:renew] = true })
  end

  def test_drop_ends_the_session
    each_kind do |visitor, kind|
      visitor.get { |session| session["a"] = 1 }
      before = visitor.cookie
      cleared = visitor.sent { |session| (session["b"] = 2) && (session.options[:drop] = true) }
      assert_match(/\Asession=; Max-Age=0/, cleared.first)
      assert_empty visitor.contents
      assert_empty visitor.contents(cookie: before) if kind == :store
    end
  end

  def test_skip_saves_nothing
    each_kind do |visitor|
      visitor.get { |session| session["a"] = 1 }
      response = visitor.get { |session| (session["a"] = 2) && (session.options[:skip] = true) }
      assert_empty visitor.set_cookies(response)
      assert_equal "Cookie", response.headers["vary"]
      assert_equal({ "a" => 1 }, visitor.contents)
    end
  end

  def test_defer_saves_in_the_store_and_sends_no_cookie
    visitor = in_store
    visitor.get { |session| session["a"] = 1 }
    response = visitor.get { |session| (session["a"] = 2) && (session.options[:defer] = true) }
    assert_equal [[], "Cookie"], [visitor.set_cookies(response), response.headers["vary"]]
    assert_equal({ "a" => 2 }, visitor.contents)
    assert_empty(in_cookie(defer: true).sent { |session| session["a"] = 1 })
  end

  def test_renew_wins_over_defer
    sent = in_store(defer: true).sent { |session| (session["a"] = 1) && (session.options[:renew] = true) }
    assert_equal 1, sent.length
  end

  def test_expire_after
    each_kind(expire_after: 3600) do |visitor|
      assert_match(/; Max-Age=3600;/, visitor.sent { |session| session["a"] = 1 }.first)
      sent = visitor.sent { |session| (session["a"] = 2) && (session.options[:expire_after] = nil) }
      refute_match(/Max-Age/, sent.join)
    end
  end

  def test_expire_after_for_one_session
    each_kind do |visitor|
      visitor.get { |session| session["a"] = 1 }
      assert_match(/; Max-Age=86400;/, visitor.sent { |session| session.options[:expire_after] = 86_400.0 }.first)
      assert_equal({ "a" => 1 }, visitor.contents)
    end
  end

  def test_expire_after_is_also_the_timeout
    [[{ expire_after: 5000 }, 1], [{ expire_after: 5000, timeout: 1200 }, nil], [{}, nil]].each do |options, expected|
      header = cookie("[#{Time.now.to_i - 4000},#{Time.now.to_i - 9000},{\"a\":1}]")
      assert_equal [expected], [in_cookie(**options).with_session(cookie: header) { |session| session["a"] }]
    end
  end

  def test_a_secure_session_is_not_sent_by_plain_http
    each_kind(secure: true) do |visitor|
      2.times { assert_empty(visitor.sent { |session| session["a"] = 1 }) }
      assert_equal 1, visitor.log.string.scan(/khufu: .*HTTPS/).length
      assert_match(/; secure;/, visitor.sent(HTTPS: "on") { |session| session["a"] = 1 }.first)
    end
  end

  def test_the_names_and_defaults_of_racks_middlewares
    set_cookie = ->(options) { in_cookie(**options).sent { |session| session["a"] = 1 }.first }
    assert_match(%r{\Asession=[\w-]+; Path=/; HttpOnly; SameSite=Lax\z}, set_cookie[{}])
    options = { key: "sid", domain: "example.com", path: "/app", same_site: :Strict, httponly: false }
    assert_match(%r{\Asid=[\w-]+; Domain=example.com; Path=/app; SameSite=Strict\z}, set_cookie[options])
    assert_match(/\Aa=/, set_cookie[{ "cookie_name" => "a", sidbits: 128, cookie_only: true }])
  end

  def test_a_factory
    sessions = factory(cookie_name: "shared")
    app = Rack::Session::Khufu.new(->(env) { [200, {}, [env["rack.session"]["a"].to_s]] }, factory: sessions)
    header = sent_back(sessions.open.update("a" => 1).commit)
    assert_match(/\Ashared=/, header)
    assert_equal ["1"], app.call(Rack::MockRequest.env_for("/", "HTTP_COOKIE" => header)).last
    error = assert_raises(Khufu::OptionError) { Rack::Session::Khufu.new(nil, factory: sessions, secret: "x") }
    assert_match(/`factory`.* secret\z/, error.message)
  end

  def test_wrong_options
    assert_raises(Khufu::OptionError) { Rack::Session::Khufu.new(nil) }
    assert_raises(Khufu::OptionError) { Rack::Session::Khufu.new(nil, secret: "a", unknown: 1) }
  end

  def test_memory_in_a_server_of_several_processes_is_warned_of_once
    Dir.mktmpdir do |folder|
      others = [in_cookie, in_store(store: "sqlite:#{folder}/sessions.db")]
      visitors = [in_store, in_store(store: nil), *others]
      visitors.each { |visitor| 3.times { visitor.get("rack.multiprocess": true) {} } }
      assert_equal([1, 1, 0, 0], visitors.map { |visitor| visitor.log.string.scan("do not share").length })
    end
  end
end
