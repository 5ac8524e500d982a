# frozen_string_literal: true

module Khufu
  # Opens sessions, all with the same options.
  #
  # A factory is immutable: one serves all threads of a program, and its children after a fork.
  #
  # @example The counterpart of Pyramid's SignedCookieSessionFactory(secret, httponly=True)
  #   factory = Khufu::Factory.new(secret: ENV.fetch("SESSION_SECRET"), httponly: true)
  # @example Accepting what a site's older set-ups wrote
  #   Khufu::Factory.new(
  #     type: :encrypted_cookie, secret: key,
  #     accept: { signed: { secret: "old" }, pyramid1: { serializer: :pickle, secret: "older" } }
  #   )
  class Factory
    # Options of many values.
    LISTS = %i[previous_secret previous_secret_hex].freeze
    # Options that may be objects, and what those answer to.
    METHODS = { store: %i[load save touch remove], serializer: %i[loads dumps] }.freeze
    # Methods that a store has all of, if it keeps subjects.
    SUBJECTS = %i[list unlist members].freeze
    private_constant :LISTS, :METHODS, :SUBJECTS

    # The options are those of docs/options.md. A String or Symbol, a number, true or false is a value; nil unsets
    # an option; an Array gives one that may be repeated (`previous_secret`) all its values, nil gives it none.
    #
    # @param accept [Hash{Symbol, String => Hash}] other formats that are accepted on opening, tried in this order,
    #   each a name (which {Session#load_format} gives back) and its options
    # @option options [String, #load] :store where sessions of the type store are; or a store of the program's own,
    #   an object with these methods, which several threads may call at once:
    #
    #   - `load(key)` returns the key's record and its generation, `[String, Integer]`; nil where there is none
    #   - `save(key, expected, generation, record, ttl)`, in one step: keeps the record if the one that is there has
    #     the generation expected (0: there is none) and returns `:ok`; else `:gone` where there is none, `:conflict`
    #     where there is another
    #   - `touch(key, generation, record, ttl)`, in one step: keeps the record, which says when the session was used, in
    #     place of the one that has this generation and returns `:ok`; else `:gone` or `:conflict`, as save does, and the
    #     response gets no cookie
    #   - `remove(key, expected)`, in one step: removes the record if it has the generation expected (0: whatever it has)
    #     and returns `:ok`; else `:gone` or `:conflict`
    #
    #   A store that keeps subjects also has these; without them {Session#subject=} and {#subject} are an {ArgumentError}:
    #
    #   - `list(subject, key, ttl)` notes that a key belongs to a subject, for at least ttl; noting it again never shortens
    #     that. It is called before the record is saved or touched
    #   - `unlist(subject, key)` takes the note back, if there is one, after the record was removed
    #   - `members(subject)` returns the keys that belong to a subject. One may be listed whose record is gone or belongs
    #     to another subject by now, for the record itself says whose it is
    #
    #   A key is 64 hex digits, and so is a subject; a record is bytes, and ttl is for how many seconds it is kept, at least
    #   1 (nil: for ever). A
    #   StandardError that they raise becomes the `cause` of a {StoreError}; whatever else leaves them, such as a `throw`
    #   or the end of the thread, leaves the call.
    # @option options [Symbol, #loads] :serializer the option's value; or a serializer of the program's own, with
    #   `loads(payload)`, which returns the JSON text that bytes stand for, and `dumps(json)`, which returns the bytes.
    #   For a cookie the text is the array `[renewed, created, state]`, for a record of a store the state alone, an
    #   object. If loads raises, the cookie or record is malformed; what dumps raises becomes the `cause` of an
    #   {UnsupportedError}.
    # @raise [OptionError] if an option's name or value is wrong; the message names the option and what is allowed
    # @raise [EncodingError] if a value is not text (a secret of bytes is given as `secret_hex`)
    def initialize(accept: {}, **options)
      native = Native::OptionsHandle.new(Native.khufu_options_new)
      set_all(native, "", options)
      options_in(accept).each { |format, each| set_all(native, "accept.#{format}.", options_in(each)) }
      @handle = Native.uninterrupted { new_handle(native) }
      @calls = calls_for(options)
    ensure
      native&.free
    end

    # Opens the session that a request belongs to. A cookie never makes this fail: the session is new and empty
    # if the request has none or a bad one, and {Session#load_result} says which.
    #
    # With a block, the session is closed after it.
    #
    # @param cookie_header [String, nil] the request's whole `Cookie` header
    # @param now [Time, Numeric, nil] the time of the request (a number counts seconds since the Unix epoch); the
    #   system's clock where it is nil
    # @param deadline [Numeric, nil] for how many seconds this call may wait for a store, where that is less than
    #   `store_timeout`; not together with `now`
    # @yieldparam session [Session]
    # @return [Session] or what the block returned
    # @raise [ArgumentError] if `now` is not a usable time, or `deadline` is not positive
    # @raise [StoreError] if the store failed (and `store_on_error` is fail)
    def open(cookie_header = nil, now: nil, deadline: nil)
      session = Session.new(@handle, calls, cookie_header, now, deadline)
      return session unless block_given?

      begin
        yield session
      ensure
        session.close
      end
    end

    # Finds the sessions that were said to be a subject's by {Session#subject=}, in this process or another.
    #
    # @param name [String, Symbol] as "user-42"
    # @return [Subject]
    # @raise [StoreError] if the store failed
    # @raise [ArgumentError] if the factory keeps its sessions in cookies
    def subject(name) = Subject.new(@handle, calls, name)

    # @return [String] no options, so no secret
    def inspect = "#<#{self.class}>"
    alias to_s inspect

    private

    def initialize_copy(_other)
      raise TypeError, "a #{self.class} is not copied: it is immutable, so share it"
    end

    def calls = @calls || Native

    # A cookie is opened sooner than other threads could be let run.
    def calls_for(options)
      return Native::CallingBack if options.any? { |name, value| own?(name, value) }

      options[:type].to_s == "store" ? Native::Waiting : Native
    end

    def new_handle(native)
      output = Native::Output.new
      check(native, Native.khufu_factory_new(native, output.data))
      Native::FactoryHandle.new(output.pointer)
    end

    def set_all(native, prefix, options)
      options.each do |name, value|
        if prefix.empty? && own?(name, value)
          set_own(native, name, value)
        elsif !value.nil? || !LISTS.include?(name.to_sym)
          set(native, "#{prefix}#{name}", value)
        end
      end
    end

    def options_in(options)
      options.is_a?(Hash) ? options : raise(OptionError, "accept: a Hash of Hashes was expected, not #{options.class}")
    end

    def own?(name, value)
      METHODS.key?(name) && [String, Symbol, NilClass, Array].none? { |type| type === value }
    end

    def set_own(native, name, object)
      missing = METHODS.fetch(name).reject { |method| object.respond_to?(method) }
      if name == :store && SUBJECTS.any? { |method| object.respond_to?(method) }
        missing += SUBJECTS.reject { |method| object.respond_to?(method) }
      end
      raise OptionError, "a #{name} that has no #{missing.join(', ')}" unless missing.empty?

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
              else raise OptionError, "the option #{name} cannot be of #{value.class}"
              end
      check(native, Native.khufu_options_set(native, name, name.bytesize, value, value.bytesize))
    end

    def check(native, status)
      raise Error.for(status, Native.khufu_options_error(native)) unless status == Native::OK
    end
  end
end
