# frozen_string_literal: true

module Khufu
  # The session of one request's visitor. It has the methods of a Hash and those of Pyramid's ISession.
  #
  # Keys are Strings; a Symbol stands for its name. Values have the types of JSON: nil, true, false, Integer, Float,
  # String, Array and Hash (Symbols become Strings). Values that you read are *frozen*, because changing one would not
  # change the session. Set a changed copy instead:
  #
  #     session["name"] = session["name"].capitalize
  #
  # A store merges concurrent requests by key. If two requests set different keys at the same time, both changes are
  # kept; if they set the same key, the later commit wins. So use one key for each article of a cart:
  # `session["cart.A-1"] = 2`. What they add with {#append} and {#increment} adds up.
  #
  # All text is read as UTF-8. Python can store half a surrogate pair, which is read as U+FFFD. It can also store NaN
  # and infinities, which are read as Floats. Reading an Array or a Hash that holds one raises {TypeError}, but when the
  # whole session is read, it is nil there. A value that you do not change is written back exactly as it was.
  #
  # Reading counts as access and may mark the session as changed (see the option `reissue_time`). Only one thread at a
  # time may use a session.
  class Session
    # Makes a session that is opened when it is first used.
    #
    # @yieldparam output [FFI::Pointer] where to write the address of the session that is opened
    # @yieldreturn [Integer] the status
    # @see Factory#open
    # @api private
    def initialize(calls, &opening)
      @calls = calls
      @opening = opening
      @set_cookies = []
    end

    # Opens the session now. If this fails, the next use tries again.
    # @return [self]
    # @api private
    def open
      raise ArgumentError, "the session is closed" if closed?

      @output = Native::Output.new
      check(Native.uninterrupted { call_opening })
      @opening = nil
      self
    rescue StoreError => error
      @opening_error = error
      raise
    ensure
      close_handle if @opening
    end

    # @return [StoreError, nil] the error of {#open}, if it failed
    # @api private
    attr_reader :opening_error

    # @return [Boolean] true if the session has been used, and so opened
    # @api private
    def opened? = !@handle.nil?

    # @return [Time] when the session began
    def created = time(Native.khufu_session_created(handle))

    # @return [Time] when the session was last read or written
    def accessed = time(Native.khufu_session_accessed(handle))

    # @return [Time] when the session's cookie was written
    def renewed = time(Native.khufu_session_renewed(handle))

    # @return [Boolean] true if the session began with this request
    def new? = Native.khufu_session_is_new(handle)

    # @return [Boolean] true if {#commit} would write the session
    def changed? = Native.khufu_session_is_changed(handle)

    # How the request's session cookie was opened: `:none`, `:loaded`, `:loaded_previous_secret`,
    # `:loaded_other_format`, `:expired`, `:bad_signature`, `:malformed`, `:unsupported`, `:missing` (the store has no
    # such session) or `:store_error`.
    # @return [Symbol]
    def load_result = Native.khufu_load_result_name(Native.khufu_session_load_result(handle)).to_sym

    # @return [String, nil] the name of the accepted format that opened the session, or nil if {#load_result} is not
    #   `:loaded_other_format`
    def load_format = presence(Native.khufu_session_load_format(handle))

    # @return [String, nil] the message of the last call that failed. Before that, why the cookie was refused, or that
    #   the request has cookies but none with the name of the session cookie
    def error = presence(Native.khufu_session_error(handle))

    # Marks the session as changed, so that {#commit} writes it even if no key was set.
    # @return [self]
    def mark_changed
      check(Native.khufu_session_mark_changed(handle))
      self
    end

    # Drops all data and starts a new session. Keys that you set afterwards belong to the new session. If you set none,
    # {#commit} removes the cookie from the browser.
    # @return [self]
    def invalidate
      check(Native.khufu_session_invalidate(handle))
      @invalidated = true
      self
    end
    alias destroy invalidate

    # @return [Boolean] true after {#invalidate}
    # @api private
    def invalidated? = @invalidated || false

    # The public id of the session. It can be written to logs, because it cannot open the session. It is the key of the
    # session's record in the store or, for another library's records, the SHA-256 of the session's id. It stays the
    # same after a login, so do not derive permissions or CSRF tokens from it.
    # @return [String, nil] 64 hexadecimal digits; nil before the first commit, and for a session in a cookie
    def id
      @output.text if check(Native.khufu_session_id(handle, @output.data, @output.size))
    end

    # Gives the session's cookie a new id at the next commit. Call it when a user logs in, to prevent session fixation.
    # For `regenerate_grace` seconds, the old id still opens the data from before that commit, for reading only.
    # @return [self]
    def regenerate_id
      check(Native.khufu_session_regenerate_id(handle))
      self
    end

    # @return [String, nil] the subject that {#subject=} has set, in this request or an earlier one
    def subject
      @output.text if check(Native.khufu_session_subject(handle, @output.data, @output.size))
    end

    # Assigns the session to a subject, so that {Factory#subject} finds it.
    # @param name [String, Symbol, nil] the subject's name, such as "user-42"; nil if the session belongs to nobody
    # @raise [ArgumentError] if the session is in a cookie, or in a store that does not keep subjects
    def subject=(name)
      name = name.nil? ? "" : Text.of(name, ArgumentError)
      check(Native.khufu_session_set_subject(handle, name, name.bytesize))
    end

    # Frees the session now, instead of when it is garbage-collected. Any later call raises {ArgumentError}.
    # @return [nil]
    def close
      @opening = nil
      close_handle
    end

    # @return [Boolean] true after {#close}
    def closed? = !opened? && @opening.nil?

    # @return [String] a text without the session's contents
    def inspect
      return "#<#{self.class} #{closed? ? 'closed' : 'not opened'}>" unless opened?

      "#<#{self.class} #{load_result}#{' new' if new?}#{' changed' if changed?}>"
    end
    alias to_s inspect

    private

    def initialize_copy(_other)
      raise TypeError, "a #{self.class} cannot be copied: use to_h for its contents"
    end

    def call_opening
      @opening.call(@output.data)
    ensure
      @handle = Native::SessionHandle.new(@output.pointer)
    end

    def close_handle
      @handle&.free
      @handle = nil
    end

    def handle
      open unless @handle
      @handle
    end

    # @return [Boolean] true if the call succeeded, false if its key or item does not exist
    def check(status)
      return true if status == Native::OK
      return false if status == Native::NOT_FOUND

      @calls.fail(failure(status))
    end

    def failure(status) = Error.for(status, Native.khufu_session_error(handle))

    def time(seconds) = Time.at(seconds, in: "UTC")

    def presence(text)
      text.empty? ? nil : text.force_encoding(Encoding::UTF_8)
    end
  end
end
