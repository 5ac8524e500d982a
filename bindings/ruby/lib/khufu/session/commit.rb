# frozen_string_literal: true

# Commit, and the headers that the response needs.

module Khufu
  class Session
    # Writes the session if it changed, and returns the headers that the response needs. The commits of a request add
    # up: send the headers that the last one returns. {#commit_to} adds them to a Rack response's headers.
    #
    # @param exception [Boolean] true if the request ended in an exception. If the option `set_on_exception` is false,
    #   nothing is then written, except that an invalidated session still ends
    # @param timeout [Numeric, nil] how many seconds this call may wait for the store, if less than `store_timeout`;
    #   with 0, a session that is to be written to a store fails at once
    # @return (see #headers)
    # @raise [TooLargeError] if the session does not fit into a cookie; it stays as it was
    # @raise [UnsupportedError] if the commit would replace a valid session that could not be read here
    # @raise [ReservedKeyError] if the library in the option `library` keeps one of the keys for itself
    # @raise [RangeError] if an integer does not fit into a pickle
    # @raise [StoreError] if the store failed
    # @raise [ConflictError] if other requests kept changing the session; it stays as it was
    # @raise [GoneError] if another request has ended the session or given it a new id; it can still be read
    # @raise [ArgumentError] if `timeout` is negative
    def commit(exception: false, timeout: nil)
      flags = exception ? Native::COMMIT_EXCEPTION : 0
      check(@calls.khufu_session_commit_with(handle, flags, Seconds.within(timeout)))
      headers
    end

    # The headers that the response needs after the commits so far: each Set-Cookie (none if the browser's cookie need
    # not change, two for a logout with the option `domain`), `Vary: Cookie` if the response depended on the session,
    # and `Cache-Control`: no-store if the session ended, private if the response depended on it.
    #
    # If a commit fails, these are the headers of the commit before. But if the session was invalidated, they clear the
    # cookie even if the store failed, so that a logout reaches the browser.
    #
    # @return [Array<Array(String, String)>] the names and values, deeply frozen
    def headers
      check(Native.khufu_session_headers(handle, @output.data, @output.size))
      headers = @output.text.split("\r\n").map { |line| line.split(": ", 2).each(&:freeze).freeze }.freeze
      headers.each { |name, value| @set_cookies << value if name == "Set-Cookie" && !@set_cookies.include?(value) }
      headers
    end

    # The value that the session's cookie has now. You can send it in another way than as a cookie, and open it with
    # {Factory#open_value}.
    #
    # @return [String, nil] nil if the browser has no cookie or must delete it, or if the session is in a cookie and has
    #   changes that are not committed
    # @raise [RandomError] if the system's random generator fails
    def value
      @output.text if check(Native.khufu_session_value(handle, @output.data, @output.size))
    end

    # Sets how long the session lives when it is not used ("remember me").
    #
    # A store keeps the lifetime: from now on it replaces the options `timeout` and `max_age` for this session. A cookie
    # or another library's record cannot keep it: there it is only the Max-Age of the next commit's cookie.
    #
    # @example Remember the visitor for 30 days
    #   session.lifetime = 30 * 24 * 60 * 60
    # @param seconds [Integer, nil] nil or 0: the options decide
    # @raise [ArgumentError] if it is negative, is not a whole number, or does not fit in 64 bits
    def lifetime=(seconds)
      seconds = 0 if seconds.nil?
      unless seconds.is_a?(Integer) && seconds.between?(0, 2**64 - 1)
        raise ArgumentError, "lifetime: must be nil or a whole number of seconds, at least 0"
      end
      check(Native.khufu_session_set_lifetime(handle, seconds))
    end

    # Sets an attribute of the next commit's cookie.
    #
    # @param name [Symbol, String] `max_age`, `secure`, `httponly`, `samesite` or `partitioned`
    # @param value [String, Symbol, Integer, Boolean, nil] a value that the option of this name accepts; nil unsets the
    #   attribute
    # @return [self]
    # @raise [OptionError] if there is no such attribute, or browsers would drop the cookie
    def set_attribute(name, value)
      name = Text.of(name, ArgumentError)
      text = Text.of_option("attribute `#{name}`", value)
      check(Native.khufu_session_set_attribute(handle, name, name.bytesize, text, text.bytesize))
      self
    end
  end
end
