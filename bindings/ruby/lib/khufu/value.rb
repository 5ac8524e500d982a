# frozen_string_literal: true

require "json"

module Khufu
  # Converts Ruby's values to JSON text and back.
  # @api private
  module Value
    # The limit of nesting, which is also the library's.
    LEVELS = 500
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

      # @param json [String] a value as JSON text
      # @return [Object] the value; it and all that it holds can be changed
      def thawed(json) = parse_with_library(json, freeze: false)

      # @return [String] the value as JSON text
      # @raise [JSONError] if the value has no JSON form, or contains itself
      # @raise [RangeError] if a Float is not finite
      # @raise [EncodingError] if a String is not valid text
      def generate(value)
        case value = plain(value, {}.compare_by_identity)
        when nil then "null"
        when true, false, Integer, Float then value.to_s
        else JSON.generate(value, GENERATING)
        end
      end

      private

      def parse_with_library(json, **options) = JSON.parse(without_half_pairs(json), PARSING.merge(options))

      # Converts keys and Symbols to Strings and refuses values that JSON does not have. The json library would silently
      # write their to_s. `outer` holds the Arrays and Hashes around the value.
      def plain(value, outer)
        case value
        when nil, true, false, Integer then value
        when Float then finite(value)
        when String, Symbol then Text.of(value)
        when Array then inside(value, outer) { value.map { |element| plain(element, outer) } }
        when Hash then inside(value, outer) { value.to_h { |name, element| [Text.of(name), plain(element, outer)] } }
        else raise JSONError, "a #{value.class} has no JSON form"
        end
      end

      def finite(float)
        return float if float.finite?

        raise RangeError, "#{float} has no JSON form"
      end

      def inside(container, outer)
        raise JSONError, "the value contains itself" if outer.key?(container)
        raise JSONError, "the value is nested too deeply" if outer.length == LEVELS

        outer[container] = true
        yield.tap { outer.delete(container) }
      end

      # Replaces each half of a surrogate pair, which a Python string may hold but a Ruby String may not, by U+FFFD.
      def without_half_pairs(json)
        return json unless json.match?(/\\u[dD][89a-fA-F]/)

        json.gsub(ESCAPE) { |escape| escape.length == HALF_A_PAIR ? '\ufffd' : escape }
      end
    end
  end
end
