# frozen_string_literal: true

# A session's headers in a Rack response.

module Khufu
  class Session
    # Commits the session, and adds its headers to those of a Rack response, as {#add_headers_to} does. If the commit
    # fails, the response's headers stay as they were.
    #
    # @param response [Hash] the response's headers, with names in any case; must not be frozen
    # @param cookies [Boolean] false: add no Set-Cookie
    # @param options [Hash] the keywords of {#commit}
    # @return [Hash] the response's headers
    # @raise (see #commit)
    def commit_to(response, cookies: true, **options)
      check_response(response)
      commit(**options)
      add_headers_to(response, cookies: cookies)
    end

    # Adds the session's headers to those of a Rack response. {#commit_to} does this after a commit. Use this method for
    # the response to a request whose commit failed.
    #
    # - Set-Cookie: the session's cookies of earlier commits are replaced; all other cookies are kept. The value is an
    #   Array of Strings under Rack 3, and one String of several lines under Rack 2.
    # - Vary: gets `Cookie`, unless it has `Cookie` or `*`.
    # - Cache-Control: gets `private` or `no-store`. An existing `no-store` or `private` stays, `public` and `s-maxage`
    #   are removed, and other directives are kept.
    #
    # @param response [Hash] the response's headers, with names in any case; must not be frozen
    # @param cookies [Boolean] false: add no Set-Cookie
    # @return [Hash] the response's headers
    # @raise [ArgumentError] if it is not a Hash or is frozen
    def add_headers_to(response, cookies: true)
      check_response(response)
      added = headers
      added = added.reject { |name, _| name == "Set-Cookie" } unless cookies
      ResponseHeaders.new(response).merge(added, @set_cookies)
    end

    private

    def check_response(response)
      return unless response.frozen? || !response.respond_to?(:each_key)

      raise ArgumentError, "headers must be a Hash that is not frozen"
    end
  end
end
