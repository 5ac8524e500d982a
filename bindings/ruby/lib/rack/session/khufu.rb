# frozen_string_literal: true

require "khufu"
require "rack"
require "rack/session/abstract/id"

module Rack
  module Session
    # Rack's session middleware, with khufu's sessions. `env["rack.session"]` and its options work as with Rack's own
    # middlewares, for sessions in cookies and in stores. `env["khufu.session"]` is the {::Khufu::Session} itself, for
    # Pyramid's flash messages and CSRF token, the subject, and more. Both are committed together, once.
    #
    # The session is opened when it is first used. A request that never uses it costs nothing, and its response gets no
    # header. At the end, only the keys that the application changed are written. So a store can merge them with the
    # changes of concurrent requests.
    #
    # @example
    #   use Rack::Session::Khufu, secret: ENV.fetch("SESSION_SECRET")
    class Khufu < Abstract::PersistedSecure
      # The key of the {::Khufu::Session} in Rack's environment.
      SESSION = "khufu.session"

      # The names that Rack has for khufu's options.
      RACK_NAMES = { key: :cookie_name, same_site: :samesite }.freeze
      # The options of Rack's middlewares that are not options of a factory.
      RACK_OPTIONS = %i[defer renew skip drop cookie_only sidbits secure_random assume_ssl].freeze
      # The answers to errors that are not the application's own.
      ANSWERS = {
        ::Khufu::StoreError => [503, "The service is not available. Try again later.\n"],
        ::Khufu::ConflictError => [503, "The service is busy. Try again later.\n"],
        ::Khufu::GoneError => [409, "Your session has ended. Load the page again.\n"]
      }.freeze
      private_constant :RACK_NAMES, :RACK_OPTIONS, :ANSWERS

      # Rack's session Hash, with more methods of a Hash. It does not show its contents when it is inspected.
      class Hash < SecureSessionHash
        include ::Khufu::HashMethods

        # @return [Integer] the number of keys
        def length = keys.length
        alias size length

        # @return [String] a text without the session's contents
        def inspect = "#<#{self.class}#{' not yet loaded' unless loaded?}>"
      end

      # The options are those of {::Khufu::Factory#initialize}, and Rack's names for them: `key` for `cookie_name`,
      # `same_site` for `samesite`, and `expire_after`, which sets `max_age` and `timeout`. As in Rack, `httponly` is
      # true by default.
      #
      # @param app [#call]
      # @param options [Hash]
      # @option options [::Khufu::Factory] :factory a factory to use, instead of the options of a new one
      # @option options [#call] :on_error called with Rack's environment and a {::Khufu::StoreError},
      #   {::Khufu::ConflictError} or {::Khufu::GoneError}; returns the response. The error has been logged. By default,
      #   the response is 503, and 409 if another request has ended the session
      # @option options [Boolean] :defer as in Rack
      # @raise [::Khufu::OptionError] if an option is wrong
      def initialize(app, options = {})
        options = options.to_hash.transform_keys(&:to_sym)
        @on_error = options.delete(:on_error) || method(:answer_to)
        @warned = []
        rack = options.slice(*RACK_OPTIONS, :expire_after, :secure)
        @factory = factory(options.except(*RACK_OPTIONS))
        super(app, rack)
      end

      # Runs the application with the session, and commits the session.
      # @param env [::Hash] Rack's environment
      # @param app [#call]
      # @return [Array] the response
      def context(env, app = @app)
        warn_of_memory(env)
        request = make_request(env)
        env[SESSION] = @factory.defer(env["HTTP_COOKIE"])
        prepare_session(request)
        status, headers, body = response = answer(request, app)
        raise_error_of_opening(env, status)
        commit_session(request, Response::Raw.new(status, headers))
        response
      rescue *ANSWERS.keys => error
        body.close if body.respond_to?(:close)
        refuse(env, error)
      end

      # Commits the session, and adds its headers to the response's.
      # @param request [Rack::Request]
      # @param response [Rack::Response::Raw]
      # @param exception [Boolean] true if the request ended in an exception
      # @return [void]
      def commit_session(request, response, exception: false)
        session = request.get_header(SESSION)
        hash = request.get_header(RACK_SESSION)
        options = hash.options
        return unless session.opened? || options[:drop] || options[:renew] || lifetime?(options)
        saved = !options[:skip] && sent_safely?(request, options)
        return session.add_headers_to(response.headers) unless saved || session.invalidated?

        change(session, hash, options) if saved
        cookies = options[:drop] || options[:renew] || !options[:defer]
        session.commit_to(response.headers, cookies: cookies, exception: exception)
      end

      private

      def session_class = Hash

      def factory(options)
        given = options.delete(:factory)
        return ::Khufu::Factory.new(**options_of_khufu(options)) unless given
        return given if options.empty?

        raise ::Khufu::OptionError, "option `factory`: cannot be given together with #{options.keys.join(', ')}"
      end

      def options_of_khufu(options)
        seconds = options.delete(:expire_after)&.to_i
        lifetime = seconds ? { max_age: seconds, timeout: seconds } : {}
        { httponly: true, **lifetime, **options.transform_keys { |name| RACK_NAMES.fetch(name, name) } }
      end

      def answer(request, app)
        app.call(request.env)
      rescue ::Khufu::StoreError
        raise
      rescue Exception # rubocop:disable Lint/RescueException -- a logout holds, however the request ends
        commit_after_exception(request)
        raise
      end

      def commit_after_exception(request)
        commit_session(request, Response::Raw.new(500, {}), exception: true)
      rescue ::Khufu::Error => error
        log(request.env, error)
      end

      # Sinatra makes a page with the status 500 of the error that its route met when it used the session.
      def raise_error_of_opening(env, status)
        error = env[SESSION].opening_error
        raise error if error && status.to_i == 500
      end

      # Gives the response to an error. If the application had ended the session, the response still clears the cookie.
      def refuse(env, error)
        log(env, error)
        status, headers, body = @on_error.call(env, error)
        session = env[SESSION]
        session.add_headers_to(headers) if session.opened?
        [status, headers, body]
      end

      def answer_to(_env, error)
        status, text = ANSWERS.fetch(error.class)
        [status, { CONTENT_TYPE => "text/plain; charset=utf-8", CACHE_CONTROL => "no-store" }, [text]]
      end

      # Writes to the application's logger. Without one, or with the one of Sinatra that drops everything, writes where
      # the server writes its errors.
      def log(env, problem)
        text = "khufu: #{problem}#{" (#{problem.cause.class})" if problem.is_a?(Exception) && problem.cause}"
        logger = env[RACK_LOGGER]
        logger.nil? || logger.is_a?(NullLogger) ? env[RACK_ERRORS].puts(text) : logger.error(text)
      end

      # Rack's Hash and its options. Rack calls the following methods, except for lifetime?, change and sent_safely?.

      def find_session(request, _id) = [extract_session_id(request), request.get_header(SESSION).thawed]

      # The id can be logged, because it does not open the session.
      def extract_session_id(request)
        id = request.get_header(SESSION).id
        id && SessionId.new(id)
      end

      def session_exists?(request)
        session = request.get_header(SESSION)
        !session.empty? || !session.new?
      end

      # Ends the session at the next commit. The Hash is empty by now.
      def delete_session(request, _id, _options)
        request.get_header(SESSION).invalidate.thawed
        nil
      end

      def change(session, hash, options)
        return session.invalidate if options[:drop]

        session.write_changes(hash.to_hash) if loaded_session?(hash)
        return unless (options[:renew] || lifetime?(options)) && !session.empty?

        session.regenerate_id if options[:renew]
        return unless lifetime?(options)

        seconds = options[:expire_after]
        seconds ? session.lifetime = seconds.to_i : session.set_attribute(:max_age, nil)
      end

      # True if this request sets another lifetime than the middleware's.
      def lifetime?(options) = options[:expire_after] != @default_options[:expire_after]

      # As in Rack, a secure session is neither saved nor sent if the request came by plain HTTP.
      def sent_safely?(request, options)
        return true if security_matches?(request, options)

        warn_once(request.env, "the option secure is true, so a session is saved only if the request came by HTTPS")
        false
      end

      def warn_of_memory(env)
        return unless env["rack.multiprocess"] && @factory.memory?

        warn_once(env, "the processes of this server do not share the sessions in memory: use another store")
      end

      def warn_once(env, text)
        log(env, text) unless @warned.include?(text)
        @warned |= [text]
      end
    end
  end
end
