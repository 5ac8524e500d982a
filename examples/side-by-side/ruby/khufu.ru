# frozen_string_literal: true

# The shop with khufu. Its sessions are in signed cookies, or in memory if TYPE is store.

require "rack/session/khufu"
require_relative "shop"

# Handles the requests.
class KhufuShop < Shop
  # Answers 403 to a POST without the session's CSRF token.
  def answer
    return super if request.get? || khufu.valid_csrf_token?(request.get_header("HTTP_X_CSRF_TOKEN"))

    forbid("The form has expired.")
  end

  def page = show(session["user"], session["cart"], khufu.pop_flash, khufu.csrf_token)

  def log_in
    session.options[:renew] = true
    session["user"] = params["user"]
    khufu.flash("Welcome, #{params['user']}.")
  end

  def add
    raise NoUser unless session["user"]

    khufu.append("cart", order)
  end

  def log_out = session.destroy

  private

  def khufu = env["khufu.session"]
end

use Rack::Session::Khufu, secret: ENV.fetch("SECRET"), type: ENV.fetch("TYPE")
run KhufuShop
