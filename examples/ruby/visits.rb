# frozen_string_literal: true

# Handles two requests of one visitor. The response to the first sets a cookie, which the second sends back.
#
#     KHUFU_LIBRARY=target/stage/lib/libkhufu.so ruby -I bindings/ruby/lib examples/ruby/visits.rb

require "khufu"

# To share sessions with a Pyramid application, use its secret: SignedCookieSessionFactory(secret, httponly=True).
factory = Khufu::Factory.new(secret: ENV.fetch("SESSION_SECRET") { Khufu.generate_secret }, httponly: true)

# Handles a request with this Cookie header. Returns the page and the response's headers.
handle = lambda do |cookie_header|
  session = factory.open(cookie_header)
  session["visits"] = session.fetch("visits", 0) + 1
  session.flash("Welcome back!") unless session.new?
  ["visit #{session['visits']} #{session.pop_flash.join}", session.commit]
end

page, headers = handle.call(nil)
puts page

# A browser sends back the part before the first semicolon.
set_cookies = headers.filter_map { |name, value| value if name == "Set-Cookie" }
page, = handle.call(set_cookies.map { |set_cookie| set_cookie[/\A[^;]*/] }.join("; "))
puts page
