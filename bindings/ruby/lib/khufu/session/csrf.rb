# frozen_string_literal: true

# The CSRF token, which a form must send back. It is under the key `_csrft_`.

module Khufu
  class Session
    # @return [String] the session's token; a new one if there was none
    def csrf_token
      check(Native.khufu_session_csrf_token(handle, @output.data, @output.size))
      @output.text
    end

    # Replaces the session's token.
    # @return [String] the new token
    def new_csrf_token
      check(Native.khufu_session_new_csrf_token(handle, @output.data, @output.size))
      @output.text
    end

    # Compares a token with the session's, in constant time. If the session has no token, every token is refused.
    # @param token [String, nil] the token of the request
    # @return [Boolean] true if the token is the session's
    def valid_csrf_token?(token)
      return false unless token.is_a?(String)

      check(Native.khufu_session_check_csrf_token(handle, token, token.bytesize, @output.data))
      @output.bool
    end
  end
end
