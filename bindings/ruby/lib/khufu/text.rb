# frozen_string_literal: true

module Khufu
  # Ruby's strings as the UTF-8 that a session holds.
  # @api private
  module Text
    # @param string [String] text in any encoding
    # @return [String] the same text in UTF-8; the same object where it is that already
    # @raise [EncodingError] if its bytes are not text
    def self.utf8(string)
      string = string.encode(Encoding::UTF_8) unless string.encoding == Encoding::UTF_8
      return string if string.valid_encoding?

      raise EncodingError, "a text that is marked as UTF-8 is not"
    rescue ::EncodingError
      raise EncodingError, "a text in #{string.encoding} has no UTF-8 form (bytes are stored as base64 or hex)"
    end

    # @param name [String, Symbol] a key, or another name
    # @param error [Class] what is raised if it is something else
    # @return [String] its text in UTF-8
    def self.of(name, error = JSONError)
      case name
      when String then utf8(name)
      when Symbol then utf8(name.name)
      else raise error, "a String or a Symbol was expected, not #{name.class}"
      end
    end
  end
end
