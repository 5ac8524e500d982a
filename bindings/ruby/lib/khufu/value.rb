# frozen_string_literal: true

require "json"

module Khufu
  # Ruby's values as JSON text, and back.
  # @api private
  module Value
    # Levels of nesting that are followed; the library's own limit is lower.
    LEVELS = 501
    PARSING = { freeze: true, max_nesting: 0 }.freeze
    GENERATING = { max_nesting: 0 }.freeze
    INTEGER = /\A-?\d+\z/
    # An escape in a JSON string: a pair of surrogates, half a pair, or any other's beginning.
    ESCAPE = /\\(?:u[dD][89abAB]\h\h\\u[dD][c-fC-F]\h\h|u[dD][89a-fA-F]\h\h|.)/
    HALF_A_PAIR = '\ud800'.length
    private_constant :LEVELS, :PARSING, :GENERATING, :INTEGER, :ESCAPE, :HALF_A_PAIR

    class << self
      # @param json [String] a value as JSON text
      # @return [Object] the value, frozen to its depth
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
      # @raise [JSONError] for what JSON does not have
      # @raise [RangeError] for a float that is not finite
      # @raise [EncodingError] for a string that is not text
      def generate(value)
        case value = plain(value, 0)
        when nil then "null"
        when true, false, Integer, Float then value.to_s
        else JSON.generate(value, GENERATING)
        end
      end

      private

      def parse_with_library(json) = JSON.parse(without_half_pairs(json), PARSING)

      # Nothing but what JSON has: the json library would store an arbitrary object's to_s, and says nothing.
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
        else raise JSONError, "a #{value.class} is not a value that JSON has"
        end
      end

      def finite(float)
        return float if float.finite?

        raise RangeError, "#{float} is not a number that JSON has"
      end

      def deeper(level)
        raise JSONError, "the value is nested too deep" if level == LEVELS
      end

      # Python's strings may hold half a surrogate pair; Ruby's may not.
      def without_half_pairs(json)
        return json unless json.match?(/\\u[dD][89a-fA-F]/)

        json.gsub(ESCAPE) { |escape| escape.length == HALF_A_PAIR ? '\ufffd' : escape }
      end
    end
  end
end
