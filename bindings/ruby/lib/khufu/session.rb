# frozen_string_literal: true

module Khufu
  # What a request's visitor has left on the server, or in the cookie: feels like a Hash, and is Pyramid's ISession.
  #
  # Keys are Strings; a Symbol stands for its name. Values are what JSON has: nil, true, false, Integer, Float,
  # String, Array and Hash (Symbols become Strings). They come out *frozen*, since a change to one would not reach
  # the session: store a changed copy instead.
  #
  #     session["name"] = session["name"].capitalize
  #
  # In a store, two requests that set different keys at once both count; of one key, the later commit's value stays. So a
  # cart has a key for each article: `session["cart.A-1"] = 2`.
  #
  # All text comes out as UTF-8. Half a surrogate pair, which Python can store, reads as U+FFFD. NaN and infinities,
  # which Python can store too, read as Floats; within an Array or a Hash they are nil where the session is read as
  # a whole, and a {TypeError} where such a value is asked for. A value that nobody sets goes back as it came.
  #
  # Reading counts as access and may mark the session changed (`reissue_time`). A session belongs to one thread at
  # a time.
  class Session
    # @see Factory#open
    # @api private
    def initialize(factory, calls, cookie_header, now, deadline)
      @calls = calls
      @output = Native::Output.new
      @committed = []
      unless cookie_header.nil? || cookie_header.is_a?(String)
        raise ArgumentError, "a Cookie header is a String, not #{cookie_header.class}"
      end
      check(Native.uninterrupted { open(factory, cookie_header, cookie_header ? cookie_header.bytesize : 0, now, deadline) })
    end

    # @return [Time] when the session began
    def created = time(Native.khufu_session_created(handle))

    # @return [Time] when it was last read or written
    def accessed = time(Native.khufu_session_accessed(handle))

    # @return [Time] when its cookie was written
    def renewed = time(Native.khufu_session_renewed(handle))

    # @return [Boolean] whether no cookie brought it
    def new? = Native.khufu_session_is_new(handle)

    # @return [Boolean] whether commit has something to write
    def changed? = Native.khufu_session_is_changed(handle)

    # How the cookie opened: `:none`, `:loaded`, `:loaded_previous_secret`, `:loaded_other_format`, `:expired`,
    # `:bad_signature`, `:malformed`, `:unsupported`, `:missing` (the store has no such session) or `:store_error`.
    # @return [Symbol]
    def load_result = Native.khufu_load_result_name(Native.khufu_session_load_result(handle)).to_sym

    # @return [String, nil] the name of the accepted format in which the cookie was written; nil if it was the
    #   current one
    def load_format = filled(Native.khufu_session_load_format(handle))

    # @return [String, nil] why the cookie was refused (for `:none`: that the request has other cookies), or what the last
    #   call that failed said
    def error = filled(Native.khufu_session_error(handle))

    # Says of the session that it changed, so that commit writes it.
    # @return [self]
    def changed!
      check(Native.khufu_session_changed(handle))
      self
    end

    # Drops all data and starts over with a new session; what is set afterwards belongs to that.
    # @return [self]
    def invalidate
      check(Native.khufu_session_invalidate(handle))
      self
    end

    # @return [String, nil] a name for it that may be logged, for it opens nothing: 64 hex digits, the key of its record
    #   in the store (for another library's records, the SHA-256 of the id). It stays the same through every login, so no
    #   right and no CSRF token may be bound to it. nil before the first commit, and for a session in a cookie
    def id
      @output.text if check(Native.khufu_session_id(handle, @output.data, @output.size))
    end

    # Gives it a new id at commit, against fixation: to be called when a user has logged in. For `regenerate_grace`
    # seconds the old id opens the data as it was before, to be read only, and never what is newer.
    # @return [self]
    def regenerate_id
      check(Native.khufu_session_regenerate_id(handle))
      self
    end

    # Says whose session it is, so that {Factory#subject} finds it.
    # @param name [String, Symbol, nil] as "user-42"; nil: nobody's
    # @raise [ArgumentError] for a session in a cookie
    def subject=(name)
      name = name.nil? ? "" : Text.of(name, ArgumentError)
      check(Native.khufu_session_set_subject(handle, name, name.bytesize))
    end

    # Writes the session if it changed. What it gives is what the whole response needs: a further commit gives the
    # values that take the place of these, and the same ones without changes in between. A logout with the option
    # `domain` gives two.
    #
    # @param exception [Boolean] whether the request ended in one (`set_on_exception` says what that means; a session
    #   that was invalidated ends all the same)
    # @param deadline [Numeric, nil] for how many seconds this call may wait for a store, where that is less than
    #   `store_timeout`
    # @return [Array<String>] the values of the response's `Set-Cookie` headers, empty where nothing changed.
    #   {#commit_to} puts them there
    # @raise [TooLargeError] if the session does not fit into a cookie; it stays as it was
    # @raise [UnsupportedError] if a session that could not be represented would be overwritten
    # @raise [StoreError] if the store failed
    # @raise [ConflictError] if other requests kept changing the session; it stays as it was
    # @raise [GoneError] if another request has ended the session or given it a new id; it can still be read
    def commit(exception: false, deadline: nil)
      flags = exception ? Native::COMMIT_EXCEPTION : 0
      check(
        if deadline
          @calls.khufu_session_commit_deadline(handle, flags, seconds(deadline))
        else
          @calls.khufu_session_commit(handle, flags)
        end
      )
      cookies = []
      while check(Native.khufu_session_set_cookie(handle, cookies.length, @output.data, @output.size))
        cookies << @output.text
      end
      @committed.concat(cookies.map(&:dup))
      cookies
    end

    # @return [Boolean] whether the response depended on the session, and so needs `Vary: Cookie` and may not be
    #   stored by a shared cache; known after {#commit}
    def vary? = Native.khufu_session_vary(handle)

    # Frees the session at once and not when it is collected. Any further call is an {ArgumentError}.
    # @return [nil]
    def close
      @handle&.free
      @handle = nil
    end

    # @return [Boolean]
    def closed? = @handle.nil?

    # @return [String] nothing of what the session holds
    def inspect
      return "#<#{self.class} closed>" if closed?

      "#<#{self.class} #{load_result}#{' new' if new?}#{' changed' if changed?}>"
    end
    alias to_s inspect

    private

    def initialize_copy(_other)
      raise TypeError, "a #{self.class} is not copied: to_h gives what it holds"
    end

    def open(factory, header, size, now, deadline)
      raise ArgumentError, "now and deadline do not go together" if now && deadline
      return @calls.khufu_session_open_at(factory, header, size, seconds(now), @output.data) if now
      return @calls.khufu_session_open_deadline(factory, header, size, seconds(deadline), @output.data) if deadline

      @calls.khufu_session_open(factory, header, size, @output.data)
    ensure
      @handle = Native::SessionHandle.new(@output.pointer)
    end

    def handle
      @handle || raise(ArgumentError, "the session is closed")
    end

    # @return [Boolean] false where what was asked for is not there
    def check(status)
      return true if status == Native::OK
      return false if status == Native::NOT_FOUND

      @calls.fail(failure(status))
    end

    def failure(status) = Error.for(status, Native.khufu_session_error(handle))

    # Time#to_f rounds to about a microsecond, its fraction does not.
    def seconds(time)
      time = time.to_r if time.is_a?(Time)
      return time.to_f if time.is_a?(Numeric) && time.real?

      raise ArgumentError, "a Time or a number of seconds was expected, not #{time.class}"
    end

    def time(seconds) = Time.at(seconds, in: "UTC")

    def filled(text)
      text.empty? ? nil : text.force_encoding(Encoding::UTF_8)
    end
  end
end
