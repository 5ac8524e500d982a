# frozen_string_literal: true

require "json"

module Khufu
  # Converts Ruby's values to JSON text and back.
  # @api private
  module Value
    # The limit of nesting, so that the conversion ends. The library's own limit is lower.
    LEVELS = 501
    PARSING = { freeze: true, max_nesting: 0 }.freeze
    GENERATING = { max_nesting: 0 }.freeze
    INTEGER = /\A-?\d+\z/
    # An escape in a JSON string: a surrogate pair, half a pair, or the first two characters of any other escape.
    ESCAPE = /\\(?:u[dD][89abAB]\h\h\\u[dD][c-fC-F]\h\h|u[dD][89a-fA-F]\h\h|.)/
    HALF_A_PAIR = '\ud800'.length
    private_constant :LEVELS, :PARSING, :GENERATING, :INTEGER, :ESCAPE, :HALF_A_PAIR

    class << self
      # @param json [String] a value as JSON text
      # @return [Object] the value, deeply frozen
      def parse(json)
        case json[0]
        when "n" then nil
        when "t" then true
        when "f" then false
        when '"' then json.include?("\\") ? parse_with_library(json) : json.byteslice(1, json.bytesize - 2).freeze
        else json.match?(INTEGER) ? json.to_i : parse_with_library(json)
        end
      end

      # @return [String] the value as JSON text
      # @raise [JSONError] if the value has no JSON form
      # @raise [RangeError] if a Float is not finite
      # @raise [EncodingError] if a String is not valid text
      def generate(value)
        case value = plain(value, 0)
        when nil then "null"
        when true, false, Integer, Float then value.to_s
        else JSON.generate(value, GENERATING)
        end
      end

      private

      def parse_with_library(json) = JSON.parse(without_half_pairs(json), PARSING)

      # Converts keys and Symbols to Strings and refuses values that JSON does not have. The json library would silently
      # write their to_s.
      def plain(value, level)
        case value
        when nil, true, false, Integer then value
        when Float then finite(value)
        when String, Symbol then Text.of(value)
        when Array
          deeper(level)
          value.map { |element| plain(element, level + 1) }
        when Hash
          deeper(level)
          value.to_h { |name, element| [Text.of(name), plain(element, level + 1)] }
        else raise JSONError, "a #{value.class} has no JSON form"
        end
      end

      def finite(float)
        return float if float.finite?

        raise RangeError, "#{float} has no JSON form"
      end

      def deeper(level)
        raise JSONError, "the value is nested too deeply" if level == LEVELS
      end

      # Replaces each half of a surrogate pair, which a Python string may hold but a Ruby String may not, by U+FFFD.
      def without_half_pairs(json)
        return json unless json.match?(/\\u[dD][89a-fA-F]/)

        json.gsub(ESCAPE) { |escape| escape.length == HALF_A_PAIR ? '\ufffd' : escape }
      end
    end
  end
end
