# frozen_string_literal: true

# The shop with Rack's own sessions, which are in signed cookies.

require_relative "shop"

# Handles the requests.
class CookieShop < Shop
  def page = show(session["user"], session["cart"], session.delete("message"))

  def log_in
    session.options[:renew] = true
    session["user"] = params["user"]
    session["message"] = "Welcome, #{params['user']}."
  end

  def add
    raise NoUser unless session["user"]

    (session["cart"] ||= []) << order
  end

  def log_out = session.destroy
end

use Rack::Session::Cookie, secret: ENV.fetch("SECRET"), same_site: :lax
run CookieShop
