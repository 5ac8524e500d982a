# frozen_string_literal: true

module Khufu
  # Converts Ruby's Strings and Symbols to UTF-8.
  # @api private
  module Text
    # @param string [String] text in any encoding
    # @return [String] the text in UTF-8; the same object if it already is UTF-8
    # @raise [EncodingError] if its bytes are not valid text
    def self.utf8(string)
      string = string.encode(Encoding::UTF_8) unless string.encoding == Encoding::UTF_8
      return string if string.valid_encoding?

      raise EncodingError, "a UTF-8 string has invalid bytes"
    rescue ::EncodingError
      raise EncodingError, "cannot convert a string from #{string.encoding} to UTF-8; store bytes as base64 or hex"
    end

    # @param name [String, Symbol] a key or another name
    # @param error [Class] the error to raise if it has another type
    # @return [String] its text in UTF-8
    def self.of(name, error = JSONError)
      case name
      when String then utf8(name)
      when Symbol then utf8(name.name)
      else raise error, "expected a String or a Symbol, not #{name.class}"
      end
    end

    # @param name [String] says in an error which option or attribute it is
    # @param value [String, Symbol, Numeric, Boolean, nil]
    # @return [String] the text of the value; empty for nil, which unsets it
    # @raise [OptionError] if the value has another type
    def self.of_option(name, value)
      case value
      when nil, true, false, Numeric then value.to_s
      when String, Symbol then of(value)
      else raise OptionError, "#{name}: cannot be a #{value.class}"
      end
    end
  end
end
