# frozen_string_literal: true

module Khufu
  # Opens sessions, all with the same options.
  #
  # A factory is immutable. All threads of a program can share one, and its child processes can use it after a fork.
  #
  # @example The counterpart of Pyramid's SignedCookieSessionFactory(secret, httponly=True)
  #   factory = Khufu::Factory.new(secret: ENV.fetch("SESSION_SECRET"), httponly: true)
  # @example Accepting sessions that a site wrote with older settings
  #   Khufu::Factory.new(
  #     type: :encrypted_cookie, secret: key,
  #     accept: { signed: { secret: "old" }, pyramid1: { serializer: :pickle, secret: "older" } }
  #   )
  class Factory
    # The options are those of docs/options.md. A value is a String, a Symbol, a number, true or false; nil unsets an
    # option. An option that can be repeated (`previous_secret`) also takes an Array of values; nil means no value.
    #
    # The option `store` can also be a custom store, an object with the methods below. Several threads may call them at
    # the same time. A key is 64 hexadecimal digits. A record consists of bytes and a generation, a number that starts
    # at 1. ttl is how many seconds the record is kept, at least 1, or nil if it never expires. The methods must treat
    # an expired record as if it did not exist.
    #
    # - `load(key)` returns the record and its generation, `[String, Integer]`, or nil if there is none.
    # - `save(key, expected, generation, record, ttl)` replaces the record that has the expected generation, in one
    #   atomic step, and returns `:ok`. If expected is 0, it saves the record only if there is none. Otherwise it
    #   changes nothing and returns `:gone` if there is no record, or `:conflict` if there is one of another generation.
    # - `touch(key, generation, record, ttl)` replaces the record if it has this generation, in one atomic step, and
    #   returns `:ok`. The new record differs only in the time of the session's last use. Otherwise it changes nothing
    #   and returns `:gone` or `:conflict`, as save does. The response then sets no cookie.
    # - `remove(key, expected)` removes the record if it has the expected generation, in one atomic step, and returns
    #   `:ok`. If expected is 0, it removes a record of any generation. Otherwise it changes nothing and returns `:gone`
    #   or `:conflict`, as save does.
    #
    # A store that keeps subjects also has the following methods. Without them, {Session#subject=} and {#subject} raise
    # {ArgumentError}. A subject is named by 64 hexadecimal digits.
    #
    # - `list(subject, key, ttl)` notes that a key belongs to a subject, and keeps the note for at least ttl. Listing a
    #   key again never shortens that time. It is called before the record is saved or touched.
    # - `unlist(subject, key)` removes the note, if there is one. It is called after the record was removed.
    # - `members(subject)` returns the keys that belong to a subject. It may return a key whose record is gone, or
    #   belongs to another subject by now. This does no harm, because the record itself says which subject it belongs
    #   to.
    #
    # The option `serializer` can also be a custom serializer, an object with the methods `loads(payload)`, which
    # returns the JSON text that a payload stands for, and `dumps(json)`, which returns the payload for a JSON text. For
    # a cookie, the text is the array `[renewed, created, state]`. For a record in a store, it is the state alone, an
    # object.
    #
    # If a method of a custom store raises a StandardError, that error becomes the `cause` of a {StoreError}. If `loads`
    # raises one, the cookie or record is malformed. If `dumps` raises one, it becomes the `cause` of an
    # {UnsupportedError}. If a method ends by a `throw`, another exception or the end of the thread, the call on the
    # session ends in the same way.
    #
    # @param accept [Hash{Symbol, String => Hash}] other formats that can open sessions, tried in this order: the name
    #   of each (which {Session#load_format} returns) and its options
    # @option options [String, #load] :store the URL of the store, if `type` is store, or a custom store
    # @option options [Symbol, String, #loads] :serializer the name of a serializer, or a custom serializer
    # @raise [OptionError] if the name or value of an option is wrong; the message names the option and what is allowed
    # @raise [EncodingError] if a value is not valid text (give a secret of bytes as `secret_hex`)
    def initialize(accept: {}, **options)
      start { |made| made.set_all(options, accept) }
    end

    # Makes a factory with the options in the text of an INI file, such as a Pyramid application's own settings.
    #
    # A line is `NAME = VALUE`, `[SECTION]`, empty, or a comment that begins with `#` or `;`. A line that begins with
    # white space continues the value above it. Each line of the value of `previous_secret` is a secret.
    #
    # @example
    #   Khufu::Factory.from_ini(File.read("production.ini"), section: "app:main", prefix: "khufu.")
    # @param text [String] the file's text
    # @param section [String, nil] the section's name; nil: the lines before the first section
    # @param prefix [String, nil] the beginning of the options' names, which other lines of the section do not have;
    #   nil: every line is an option
    # @param options [Hash] further options, as for {#initialize}; they replace those of the text
    # @return [Factory]
    # @raise [OptionError] if there is no such section or an option is wrong; the message names the line
    # @raise [ArgumentError, EncodingError] if an argument is not text
    def self.from_ini(text, section: nil, prefix: nil, **options)
      raise ArgumentError, "expected the text of an INI file, not #{text.class}" unless text.is_a?(String)

      accept = options.delete(:accept) || {}
      allocate.tap do |factory|
        factory.__send__(:start) do |made|
          made.load(text, section, prefix)
          made.set_all(options, accept)
        end
      end
    end

    # Opens the session of a request. A bad cookie does not make this fail. If the request has no cookie or a bad one,
    # the session is new and empty, and {Session#load_result} says why.
    #
    # If a block is given, the session is closed after the block.
    #
    # @param cookie_header [String, nil] the value of the request's whole `Cookie` header
    # @param now [Time, Numeric, nil] opens the session as if this were the current time, for tests and replays; a
    #   number is in seconds since the Unix epoch
    # @param timeout [Numeric, nil] how many seconds this call may wait for the store, if less than `store_timeout`;
    #   with 0, opening a session in a store fails at once
    # @param passive [Boolean] true: reading the session neither renews its cookie nor extends its life, for polls and
    #   health checks; the session can still be changed
    # @yieldparam session [Session]
    # @return [Session, Object] the session, or the block's result
    # @raise [ArgumentError] if `now` is an invalid time, or `timeout` is negative
    # @raise [StoreError] if the store failed, and the option `store_on_error` is fail
    def open(cookie_header = nil, now: nil, timeout: nil, passive: false, &block)
      opened(:khufu_session_open_with, cookie_header, how(now, timeout, passive), &block)
    end

    # Opens the session of a cookie's value that came in another way than in a `Cookie` header, such as in another
    # header or in a message. {Session#value} returns such a value. Without a value, the session is new.
    #
    # @example
    #   factory.open_value(env["HTTP_AUTHORIZATION"]&.delete_prefix("Session "))
    # @param value [String, nil]
    # @param now [Time, Numeric, nil] as for {#open}
    # @param timeout [Numeric, nil] as for {#open}
    # @param passive [Boolean] as for {#open}
    # @yieldparam session [Session]
    # @return (see #open)
    # @raise (see #open)
    def open_value(value, now: nil, timeout: nil, passive: false, &block)
      return open(now: now, timeout: timeout, passive: passive, &block) if value.nil?

      opened(:khufu_session_open_value, value, how(now, timeout, passive), &block)
    end

    # Returns a request's session, which is opened when it is first used. Until then it costs nothing.
    #
    # @param cookie_header [String, nil] the value of the request's whole `Cookie` header
    # @return [Session]
    # @api private
    def defer(cookie_header) = session(:khufu_session_open_with, cookie_header, how(nil, nil, false))

    # @return [Boolean] true if the sessions are in the memory of this process
    # @api private
    def memory? = @memory

    # Runs a block with the request's session, commits the session, and adds its headers to the response's, as
    # {Session#commit_to} does. If the commit raises {ConflictError}, it opens the session again and runs the block
    # again, until `store_timeout` is over. So the block may run several times: it should only use the session. If two
    # requests set the same key, there is no conflict: the later commit wins.
    #
    # @example
    #   factory.transact(env["HTTP_COOKIE"], headers) { |session| session.append("seen", article) }
    # @param cookie_header [String, nil] the value of the request's whole `Cookie` header
    # @param headers [Hash] the response's headers, as for {Session#commit_to}
    # @param now [Time, Numeric, nil] as for {#open}
    # @param timeout [Numeric, nil] for how many seconds the block is run again, and how long each call may wait for the
    #   store, if less than `store_timeout`
    # @yieldparam session [Session]
    # @return [Object] the block's last result
    # @raise [ConflictError] if the time is over; the headers are then as they were
    # @raise (see Session#commit) If the block invalidated the session, the headers clear the browser's cookie, although
    #   the store failed
    def transact(cookie_header, headers, now: nil, timeout: nil)
      give_up = clock + [@store_timeout, timeout && Seconds.within(timeout)].compact.min
      loop do
        open(cookie_header, now: now, timeout: timeout) do |session|
          result = yield session
          return result if committed?(session, headers, timeout, give_up)
        end
      end
    end

    # Finds the sessions that {Session#subject=} has assigned to a subject, in this process or another.
    #
    # @param name [String, Symbol] the subject's name, such as "user-42"
    # @return [Subject]
    # @raise [StoreError] if the store failed
    # @raise [ArgumentError] if the factory keeps its sessions in cookies, or in a store that does not keep subjects
    def subject(name) = Subject.new(@handle, calls, name)

    # @return [String] a text without the options, so that it shows no secret
    def inspect = "#<#{self.class}>"
    alias to_s inspect

    private

    def initialize_copy(_other)
      raise TypeError, "a #{self.class} cannot be copied: it is immutable, so share it"
    end

    def calls = @calls || Native

    # Makes the factory from the options that the block sets.
    def start
      Options.open do |options|
        yield options
        @handle = options.factory
        @calls = options.calls
        @store_timeout = options.store_timeout
        @memory = options.memory?
      end
    end

    # Returns the arguments of the library's functions that say how to open a session.
    def how(now, timeout, passive) = [Seconds.at(now), Seconds.within(timeout), passive ? Native::OPEN_PASSIVE : 0]

    def opened(function, sent, how)
      session = session(function, sent, how).open
      return session unless block_given?

      begin
        yield session
      ensure
        session.close
      end
    end

    def session(function, sent, how)
      raise ArgumentError, "expected a String or nil, not #{sent.class}" unless sent.nil? || sent.is_a?(String)

      Session.new(calls) { |output| calls.public_send(function, @handle, sent, sent ? sent.bytesize : 0, *how, output) }
    end

    # @return [Boolean] false if there was a conflict and there is still time to begin again
    def committed?(session, headers, timeout, give_up)
      session.commit_to(headers, timeout: timeout)
      true
    rescue ConflictError
      raise if clock >= give_up

      false
    rescue Error
      session.add_headers_to(headers) if session.invalidated?
      raise
    end

    def clock = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
