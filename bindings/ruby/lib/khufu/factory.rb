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
    # Options that can have several values.
    LISTS = %i[previous_secret previous_secret_hex].freeze
    # Options that can be custom objects, and the methods that those must have.
    METHODS = { store: %i[load save touch remove], serializer: %i[loads dumps] }.freeze
    # The methods of a custom store that keeps subjects. A store has all of them or none.
    SUBJECT_METHODS = %i[list unlist members].freeze
    private_constant :LISTS, :METHODS, :SUBJECT_METHODS

    # The options are those of docs/options.md. A value is a String, a Symbol, a number, true or false; nil unsets an
    # option. An option that can be repeated (`previous_secret`) also takes an Array of values; nil means no value.
    #
    # The option `store` can also be a custom store, an object with the methods below. Several threads may call them at
    # the same time. A key is 64 hexadecimal digits. A record is bytes with a generation, a number that starts at 1. ttl
    # is how many seconds the record is kept, at least 1, or nil if it never expires. The methods treat an expired
    # record as if it did not exist.
    #
    # - `load(key)` returns the record and its generation, `[String, Integer]`, or nil if there is none.
    # - `save(key, expected, generation, record, ttl)` replaces the record that has the expected generation, in one
    #   atomic step, and returns `:ok`. If expected is 0, it saves the record only if there is none. Otherwise it
    #   changes nothing and returns `:gone` if there is no record, or `:conflict` if there is one of another generation.
    # - `touch(key, generation, record, ttl)` replaces the record if it has this generation, in one atomic step, and
    #   returns `:ok`. The new record differs only in the time of the session's last use. Otherwise it changes nothing
    #   and returns `:gone` or `:conflict`, as save does. The response then gets no cookie.
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
    # - `members(subject)` returns the keys that belong to a subject. A key may be listed although its record is gone or
    #   belongs to another subject by now: the record itself says which subject it belongs to.
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
      native = Native::OptionsHandle.new(Native.khufu_options_new)
      set_all(native, "", options)
      options_in(accept).each { |format, each| set_all(native, "accept.#{format}.", options_in(each)) }
      @handle = Native.uninterrupted { new_handle(native) }
      @calls = calls_for(options)
    ensure
      native&.free
    end

    # Opens the session of a request. A bad cookie does not make this fail. If the request has no cookie or a bad one,
    # the session is new and empty, and {Session#load_result} says which.
    #
    # If a block is given, the session is closed after the block.
    #
    # @param cookie_header [String, nil] the value of the request's whole `Cookie` header
    # @param now [Time, Numeric, nil] opens the session as if this were the current time, for tests and replays; a
    #   number is in seconds since the Unix epoch
    # @param deadline [Numeric, nil] how many seconds this call may wait for the store, if less than `store_timeout`;
    #   cannot be used together with `now`
    # @yieldparam session [Session]
    # @return [Session, Object] the session, or the block's result
    # @raise [ArgumentError] if `now` is an invalid time, or `deadline` is not positive
    # @raise [StoreError] if the store failed, and the option `store_on_error` is fail
    def open(cookie_header = nil, now: nil, deadline: nil)
      session = Session.new(@handle, calls, cookie_header, now, deadline)
      return session unless block_given?

      begin
        yield session
      ensure
        session.close
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

    # Returns the module whose functions open and commit sessions. For cookies these functions keep Ruby's lock, because
    # releasing it would take longer than opening a cookie.
    def calls_for(options)
      return Native::CallingBack if options.any? { |name, value| custom?(name, value) }

      options[:type].to_s == "store" ? Native::Waiting : Native
    end

    def new_handle(native)
      output = Native::Output.new
      check(native, Native.khufu_factory_new(native, output.data))
      Native::FactoryHandle.new(output.pointer)
    end

    def set_all(native, prefix, options)
      options.each do |name, value|
        if prefix.empty? && custom?(name, value)
          set_custom(native, name, value)
        elsif !value.nil? || !LISTS.include?(name.to_sym)
          set(native, "#{prefix}#{name}", value)
        end
      end
    end

    def options_in(options)
      return options if options.is_a?(Hash)

      raise OptionError, "option `accept`: must be a Hash of Hashes, not #{options.class}"
    end

    def custom?(name, value)
      METHODS.key?(name) && [String, Symbol, NilClass, Array].none? { |type| type === value }
    end

    def set_custom(native, name, object)
      missing = METHODS.fetch(name).reject { |method| object.respond_to?(method) }
      if name == :store && SUBJECT_METHODS.any? { |method| object.respond_to?(method) }
        missing += SUBJECT_METHODS.reject { |method| object.respond_to?(method) }
      end
      raise OptionError, "option `#{name}`: the object lacks the methods #{missing.join(', ')}" unless missing.empty?

      callbacks = Native::Callbacks
      table = if name == :serializer then callbacks::SERIALIZER
              else object.respond_to?(:members) ? callbacks::SUBJECT_STORE : callbacks::STORE
              end
      user_data = callbacks.keep(object)
      status = Native.public_send(:"khufu_options_set_#{name}", native, table, user_data)
      callbacks.release(user_data) unless status == Native::OK
      check(native, status)
    end

    def set(native, name, value)
      return value.each { |each| set(native, name, each) } if value.is_a?(Array)

      value = case value
              when nil, true, false, Numeric then value.to_s
              when String, Symbol then Text.of(value)
              else raise OptionError, "option `#{name}`: cannot be a #{value.class}"
              end
      check(native, Native.khufu_options_set(native, name, name.bytesize, value, value.bytesize))
    end

    def check(native, status)
      raise Error.for(status, Native.khufu_options_error(native)) unless status == Native::OK
    end
  end
end
