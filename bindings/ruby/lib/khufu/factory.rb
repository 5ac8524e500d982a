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
    # The options are those of docs/options.md. A String or Symbol, a number, true or false is a value; nil unsets
    # an option; an Array gives one that may be repeated (`previous_secret`) all its values.
    #
    # @param accept [Hash{Symbol, String => Hash}] other formats that are accepted on opening, tried in this order,
    #   each a name (which {Session#load_format} gives back) and its options
    # @raise [OptionError] if an option's name or value is wrong; the message names the option and what is allowed
    # @raise [EncodingError] if a value is not text (a secret of bytes is given as `secret_hex`)
    def initialize(accept: {}, **options)
      native = Native::OptionsHandle.new(Native.khufu_options_new)
      options.each { |name, value| set(native, name.name, value) }
      accept.each do |format, format_options|
        format_options.each { |name, value| set(native, "accept.#{format}.#{name}", value) }
      end
      output = Native::Output.new
      check(native, Native.khufu_factory_new(native, output.data))
      @handle = Native::FactoryHandle.new(output.pointer)
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
    # @yieldparam session [Session]
    # @return [Session] or what the block returned
    # @raise [ArgumentError] if `now` is not a usable time
    def open(cookie_header = nil, now: nil)
      session = Session.new(@handle, cookie_header, now)
      return session unless block_given?

      begin
        yield session
      ensure
        session.close
      end
    end

    # @return [String] no options, so no secret
    def inspect = "#<#{self.class}>"
    alias to_s inspect

    private

    def initialize_copy(_other)
      raise ::TypeError, "a #{self.class} is not copied: it is immutable, so share it"
    end

    def set(native, name, value)
      return value.each { |each| set(native, name, each) } if value.is_a?(Array)

      value = case value
              when nil, true, false, Numeric then value.to_s
              else Text.of(value)
              end
      check(native, Native.khufu_options_set(native, name, name.bytesize, value, value.bytesize))
    end

    def check(native, status)
      raise Error.for(status, Native.khufu_options_error(native)) unless status == Native::OK
    end
  end
end
