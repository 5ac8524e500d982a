# frozen_string_literal: true

# The headers of a Rack response that a session needs.

module Khufu
  class Session
    # Commits, and puts what follows from it into the headers of a Rack response: Set-Cookie, and where {#vary?} says so
    # "Vary: Cookie" and "Cache-Control: private". Cookies of this session that an earlier commit put there are
    # replaced; what others have put there stays. After an error the headers are as they were.
    #
    # Several cookies are an Array of Strings, as Rack 3 wants it, or under Rack 2 a String of lines.
    #
    # @param headers [Hash] the response's headers, with names in any case; not frozen
    # @param options [Hash] {#commit}'s
    # @return [Hash] the headers
    def commit_to(headers, **options)
      raise ArgumentError, "a Hash of headers that is not frozen was expected" if headers.frozen? || !headers.respond_to?(:each_key)

      former = @committed.dup
      cookies = commit(**options)
      put_cookies(headers, former, cookies) unless cookies.empty?
      if vary?
        add_token(headers, "Vary", "Cookie", "*")
        add_token(headers, "Cache-Control", "private", "no-store")
      end
      headers
    end

    private

    def put_cookies(headers, former, cookies)
      name = header_name(headers, "Set-Cookie")
      values = (lines(headers[name]) - former) + cookies
      headers[name] = rack2? ? values.join("\n") : values
    end

    # Adds a token to a header's list, unless it or the other token is there.
    def add_token(headers, name, token, other)
      name = header_name(headers, name)
      values = lines(headers[name])
      present = values.flat_map { |value| value.split(",") }.map { |each| each.strip.downcase }
      headers[name] = [*values, token].join(", ") unless present.intersect?([token.downcase, other])
    end

    # A name as it is there, or as Rack writes it: Rack 3 in lower case.
    def header_name(headers, name)
      headers.each_key.find { |present| present.to_s.casecmp?(name) } || (rack2? ? name : name.downcase)
    end

    def lines(value) = Array(value).flat_map { |each| each.to_s.split("\n") }

    def rack2? = defined?(::Rack.release) ? ::Rack.release.to_i < 3 : false
  end
end
