# frozen_string_literal: true

module Khufu
  # The headers of a Rack response, to which those of a session are added.
  # @api private
  class ResponseHeaders
    # A directive of Cache-Control. It may hold a quoted string, in which a comma does not end it.
    DIRECTIVE = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/
    # The directives that would let a shared cache store the response.
    SHARED = /\A(?:public|s-maxage)\b/i
    private_constant :DIRECTIVE, :SHARED

    # @param headers [Hash]
    def initialize(headers)
      @headers = headers
    end

    # @param added [Array<Array(String, String)>] the session's headers
    # @param set_cookies [Array<String>] all Set-Cookie values that the session has given so far
    # @return [Hash] the response's headers
    def merge(added, set_cookies)
      put_cookies(added.filter_map { |name, value| value if name == "Set-Cookie" }, set_cookies)
      added.each do |name, value|
        case name
        when "Vary" then add_vary(value)
        when "Cache-Control" then add_cache_control(value)
        end
      end
      @headers
    end

    private

    def put_cookies(set_cookies, given_before)
      name = name_of("Set-Cookie")
      before = lines(name)
      values = without(before, given_before) + set_cookies
      return if values == before
      return @headers.delete(name) if values.empty?

      @headers[name] = rack2? ? values.join("\n") : values
    end

    # Returns the cookies that do not have the name, the path and the domain of one of the others.
    def without(set_cookies, others)
      return set_cookies if set_cookies.empty?

      others = others.map { |each| identity(each) }
      set_cookies.reject { |each| others.include?(identity(each)) }
    end

    # Returns the parts by which browsers tell cookies apart: the name, the path and the domain.
    def identity(set_cookie)
      pair, *attributes = set_cookie.split(";").map(&:strip)
      attributes = attributes.to_h { |each| each.split("=", 2).then { |name, value| [name.to_s.downcase, value.to_s] } }
      [pair.to_s[/\A[^=]*/], attributes["path"], attributes["domain"]&.downcase&.delete_prefix(".")]
    end

    def add_vary(token)
      name = name_of("Vary")
      values = lines(name)
      return @headers[name] = token if values.empty?

      present = values.flat_map { |value| value.split(",") }.map { |each| each.strip.downcase }
      @headers[name] = [*values, token].join(", ") unless present.intersect?([token.downcase, "*"])
    end

    def add_cache_control(directive)
      name = name_of("Cache-Control")
      values = lines(name)
      return @headers[name] = directive if values.empty?

      given = values.flat_map { |value| value.scan(DIRECTIVE) }.map(&:strip).reject(&:empty?)
      kept = given.grep_v(SHARED)
      strong = directive == "private" ? %w[private no-store] : %w[no-store]
      kept << directive unless kept.any? { |each| strong.include?(each.downcase) }
      @headers[name] = kept.join(", ") unless kept == given
    end

    # The header's name as the response has it. If the response does not have the header, the name as Rack writes it,
    # which is in lower case in Rack 3.
    def name_of(name)
      @headers.each_key { |present| return present if name.casecmp(present.to_s)&.zero? }
      rack2? ? name : name.downcase
    end

    # The values of a header, which is an Array in Rack 3 and may have several lines in Rack 2.
    def lines(name)
      value = @headers[name]
      value.nil? ? [] : Array(value).flat_map { |each| each.to_s.split("\n") }
    end

    def rack2? = defined?(::Rack.release) ? ::Rack.release.to_i < 3 : false
  end
end
