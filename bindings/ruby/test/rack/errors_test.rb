# frozen_string_literal: true

require_relative "helper"
require "logger"
require "tmpdir"
require_relative "../scripted_store"

# Requests that go wrong: bad cookies, a store that is down, sessions that another request ended, exceptions.
class RackErrorsTest < RackTest
  REASON = "redis.internal:6379 refused"

  def test_a_bad_cookie_is_never_an_error
    each_kind do |visitor|
      visitor.get { |session| session["a"] = 1 }
      good = visitor.cookie
      bad = [good.chop, "#{good}x", "session=", "session=x", "session=%%%", "session=\xff\xfe".b, "session", "="]
      bad.each do |cookie|
        response = visitor.get(cookie: cookie) { |session| session["a"] }
        assert_equal [200, ""], [response.status, response.body]
      end
    end
  end

  def test_a_store_that_is_down_when_the_session_is_opened
    in_broken_store(:load) do |visitor|
      assert_unavailable(visitor, visitor.get { |session| session["a"] })
      assert_unavailable(visitor, visitor.get { |session| session["a"] = 1 })
      assert_unavailable(visitor, visitor.get { |_, env| env["khufu.session"]["a"] })
      assert_equal 200, visitor.get {}.status
    end
  end

  def test_a_store_that_is_down_when_the_session_is_saved
    in_broken_store(:save) { |visitor| assert_unavailable visitor, visitor.get { |session| session["a"] = 2 } }
  end

  def test_a_logout_clears_the_cookie_though_the_store_is_down
    in_broken_store(:remove) do |visitor|
      response = visitor.get { |session| session.destroy }
      assert_unavailable visitor, response
      assert_match(/\Asession=; Max-Age=0/, visitor.set_cookies(response).first)
    end
  end

  def test_the_body_of_a_response_that_is_not_sent_is_closed
    Dir.mktmpdir do |folder|
      store = ScriptedStore.new(File.join(folder, "sessions"), save: -> { raise REASON })
      body = Struct.new(:closed) { def close = self.closed = true }.new
      app = ->(env) { (env["rack.session"]["a"] = 1) && [200, {}, body] }
      status, = Rack::Session::Khufu.new(app, secret: SECRET, store: store).call(Rack::MockRequest.env_for("/"))
      assert_equal [503, true], [status, body.closed]
    end
  end

  def test_the_reason_is_in_the_log
    log = StringIO.new
    in_broken_store(:load) { |visitor| visitor.get("rack.logger": Logger.new(log)) { |session| session["a"] } }
    assert_match(/ERROR.*khufu: .*store.*\(RuntimeError\)/, log.string)
  end

  def test_a_hook_for_errors
    errors = []
    hook = lambda do |env, error|
      errors << [env["PATH_INFO"], error.class]
      [500, { Rack::CONTENT_TYPE => "text/plain" }, ["sorry"]]
    end
    in_broken_store(:load, on_error: hook) do |visitor|
      response = visitor.get { |session| session["a"] }
      assert_equal [500, "sorry", [["/", Khufu::StoreError]]], [response.status, response.body, errors]
    end
  end

  def test_a_session_that_another_request_has_ended_is_not_made_again
    visitor = in_store
    visitor.get { |session| session["a"] = 1 }
    sent = visitor.cookie
    response = visitor.get do |session|
      session["a"] = 2
      visitor.get(cookie: sent) { |other| other.destroy }
    end
    assert_equal [409, []], [response.status, visitor.set_cookies(response)]
    assert_match(/khufu: /, visitor.log.string)
    assert_equal [false, {}], visitor.with_session(cookie: sent) { |session| [session.exists?, session.to_hash] }
  end

  def test_a_request_that_only_reads_does_not_notice_that_the_session_ends
    visitor = in_store
    visitor.get { |session| session["a"] = 1 }
    sent = visitor.cookie
    response = visitor.get { |session| [session["a"], visitor.get(cookie: sent) { |other| other.destroy }].first }
    assert_equal [200, "1", []], [response.status, response.body, visitor.set_cookies(response)]
  end

  def test_an_old_id_after_a_login_changes_nothing
    visitor = in_store
    visitor.get { |session| session["a"] = 1 }
    sent = visitor.cookie
    visitor.get { |session| (session["user"] = "ada") && (session.options[:renew] = true) }
    assert_equal 409, visitor.get(cookie: sent) { |session| session["a"] = 2 }.status
    assert_nil(visitor.with_session(cookie: sent) { |session| session["user"] })
  end

  def test_what_cannot_be_stored
    cyclic = []
    cyclic << cyclic << cyclic
    values = [proc {}, Float::NAN, [Float::INFINITY], cyclic, { "a" => cyclic }, Time.now, { 1 => 2 }, "\xff", 10**5000]
    each_kind(reissue_time: nil) do |visitor|
      visitor.get { |session| session["a"] = 1 }
      before = visitor.cookie
      values.each do |value|
        error = assert_raises(Khufu::Error) { visitor.get { |session| session.update("a" => 2, "wrong" => value) } }
        assert_match(/\Acannot set the key "wrong": /, error.message)
        assert_equal [{ "a" => 1 }, before], [visitor.contents, visitor.cookie]
      end
    end
  end

  def test_a_session_that_is_too_large_for_a_cookie
    assert_raises(Khufu::TooLargeError) { in_cookie.get { |session| session["a"] = "x" * 5000 } }
    assert_equal 200, in_store.get { |session| session["a"] = "x" * 5000 }.status
  end

  def test_a_request_that_ends_in_an_exception
    [[{}, { "a" => 2 }], [{ set_on_exception: false }, { "a" => 1 }]].each do |options, expected|
      visitor = in_store(**options)
      visitor.get { |session| session["a"] = 1 }
      assert_raises(IOError) { visitor.get { |session| (session["a"] = 2) && raise(IOError) } }
      assert_equal expected, visitor.contents
    end
  end

  def test_a_logout_holds_though_the_request_ends_in_an_exception
    [{}, { set_on_exception: false }].each do |options|
      visitor = in_store(**options)
      visitor.get { |session| session["a"] = 1 }
      assert_raises(IOError) { visitor.get { |session| session.destroy || raise(IOError) } }
      assert_empty visitor.contents
    end
  end

  def test_a_logout_holds_though_the_request_is_not_to_save_the_session
    [[in_store, {}, { skip: true }], [in_store(secure: true), { HTTPS: "on" }, {}]].each do |visitor, first, options|
      visitor.get(**first) { |session| session["a"] = 1 }
      before = visitor.cookie
      visitor.get do |session|
        options.each { |name, value| session.options[name] = value }
        session.destroy
      end
      assert_empty visitor.contents(cookie: before, **first)
    end
  end

  def test_an_exception_of_the_application_is_not_hidden_by_another
    in_broken_store(:save) do |visitor|
      assert_raises(IOError) { visitor.get { |session| (session["a"] = 2) && raise(IOError) } }
      assert_match(/khufu: .*store/, visitor.log.string)
    end
    assert_raises(IOError) { in_store.get { |session| (session["a"] = proc {}) && raise(IOError) } }
  end

  private

  # Yields a visitor with a session, whose store then fails.
  def in_broken_store(method, **options)
    Dir.mktmpdir do |folder|
      store = ScriptedStore.new(File.join(folder, "sessions"))
      visitor = Visitor.new({ store: store, **options }, inside: [])
      visitor.get { |session| session["a"] = 1 }
      store.before[method] = -> { raise REASON }
      yield visitor
    end
  end

  def assert_unavailable(visitor, response)
    assert_equal [503, "The service is not available. Try again later.\n"], [response.status, response.body]
    refute_includes response.headers.to_a.join, REASON
    assert_match(/\Akhufu: .*store.* \(RuntimeError\)$/, visitor.log.string)
    visitor.log.truncate(0)
    visitor.log.rewind
  end
end
