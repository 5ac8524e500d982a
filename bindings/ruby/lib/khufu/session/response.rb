# frozen_string_literal: true

# The headers that a session adds to a Rack response.

module Khufu
  class Session
    # Commits the session and sets the headers of a Rack response: Set-Cookie and, if {#vary?} is true, "Vary: Cookie"
    # and "Cache-Control: private". The cookies of earlier commits of this session are replaced; all other cookies and
    # header values are kept. After an error the headers are as they were.
    #
    # The value of Set-Cookie is an Array of Strings under Rack 3, and one String of several lines under Rack 2.
    #
    # @param headers [Hash] the response's headers, with names in any case; must not be frozen
    # @param options [Hash] the keywords of {#commit}
    # @return [Hash] the headers
    def commit_to(headers, **options)
      if headers.frozen? || !headers.respond_to?(:each_key)
        raise ArgumentError, "headers must be a Hash that is not frozen"
      end

      previous = @committed.dup
      cookies = commit(**options)
      put_cookies(headers, previous, cookies) unless cookies.empty?
      if vary?
        add_token(headers, "Vary", "Cookie", "*")
        add_token(headers, "Cache-Control", "private", "no-store")
      end
      headers
    end

    private

    def put_cookies(headers, previous, cookies)
      name = header_name(headers, "Set-Cookie")
      values = (lines(headers[name]) - previous) + cookies
      headers[name] = rack2? ? values.join("\n") : values
    end

    # Adds a token to a header's comma-separated list, unless the list has this or the other token.
    def add_token(headers, name, token, other)
      name = header_name(headers, name)
      values = lines(headers[name])
      present = values.flat_map { |value| value.split(",") }.map { |each| each.strip.downcase }
      headers[name] = [*values, token].join(", ") unless present.intersect?([token.downcase, other])
    end

    # The header's name as the response has it; otherwise as Rack writes it, which is lower case in Rack 3.
    def header_name(headers, name)
      headers.each_key.find { |present| present.to_s.casecmp?(name) } || (rack2? ? name : name.downcase)
    end

    def lines(value) = Array(value).flat_map { |each| each.to_s.split("\n") }

    def rack2? = defined?(::Rack.release) ? ::Rack.release.to_i < 3 : false
  end
end
