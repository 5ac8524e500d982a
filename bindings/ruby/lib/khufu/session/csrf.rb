# frozen_string_literal: true

# The token that a form must bring back, under the key `_csrft_`.

module Khufu
  class Session
    # @return [String] the session's token, made where there is none
    def csrf_token
      check(Native.khufu_session_csrf_token(handle, @output.data, @output.size))
      @output.text
    end

    # @return [String] a token that takes the old one's place
    def new_csrf_token
      check(Native.khufu_session_new_csrf_token(handle, @output.data, @output.size))
      @output.text
    end

    # Compares in constant time. A session without a token refuses every token.
    # @param token [String, nil] what the request brought
    # @return [Boolean]
    def valid_csrf_token?(token)
      return false unless token.is_a?(String)

      check(Native.khufu_session_check_csrf_token(handle, token, token.bytesize, @output.data))
      @output.bool
    end
  end
end
