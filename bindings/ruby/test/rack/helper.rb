# frozen_string_literal: true

require_relative "../helper"
require "rack"
require "rack/lint"
require "rack/mock"
require "rack/session/khufu"
require "stringio"

# Tests of the middleware. Each request goes through Rack::Lint, in front of the middleware and behind it.
class RackTest < SessionTest
  # The options of a session in a cookie, and of one in a store.
  KINDS = { cookie: {}.freeze, store: { type: :store, store: "memory:" }.freeze }.freeze

  # An application with the middleware, and a browser that keeps the cookie.
  class Visitor
    attr_reader :cookie, :log

    # @param options [Hash] those of the middleware
    # @param inside [Array<Class>] middlewares between it and the application. Rack::Lint reads the session
    def initialize(options, inside: [Rack::Lint], cookie: nil)
      options = { secret: SessionHelper::SECRET, **options } unless options.key?(:factory)
      @log = StringIO.new
      @cookie = cookie
      @app = Rack::Builder.app do
        use Rack::Lint
        use Rack::Session::Khufu, options
        inside.each { |middleware| use middleware }
        run(lambda { |env|
          page = env["test.handler"].call(env["rack.session"], env).to_s
          [200, { Rack::CONTENT_TYPE => "text/plain" }, [page]]
        })
      end
    end

    # Sends a request. The block handles it, with the session and the environment, and returns the page.
    def get(cookie: @cookie, **env, &handler)
      env = { "HTTP_COOKIE" => cookie, "rack.errors" => @log, "rack.multiprocess" => false, "test.handler" => handler,
              **env.transform_keys(&:to_s) }
      response = Rack::MockRequest.new(@app).get("/", env.compact)
      set_cookies(response).each { |set_cookie| @cookie = set_cookie[/\A[^;]*/] }
      response
    end

    # @return [Array<String>] the Set-Cookie values of the response
    def sent(...) = set_cookies(get(...))

    # @return [Object] what the block returns
    def with_session(**env)
      result = nil
      get(**env) { |session, request| result = yield(session, request) }
      result
    end

    # @return [Hash] the session, as a request sees it
    def contents(**env) = with_session(**env) { |session| session.to_hash }

    def set_cookies(response) = Array(response.headers["set-cookie"]).flat_map { |value| value.split("\n") }
  end

  # Runs a test with a visitor whose session is in a cookie, and with one whose session is in a store.
  def each_kind(**options)
    KINDS.each { |kind, each| yield Visitor.new({ **each, **options }), kind }
  end

  def in_store(**options) = Visitor.new({ **KINDS[:store], **options })

  def in_cookie(**options) = Visitor.new(options)
end
