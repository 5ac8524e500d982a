# frozen_string_literal: true

# A guest book on Sinatra. Sinatra's `session` and Rack::Protection use khufu's sessions.
#
#     KHUFU_LIBRARY=target/stage/lib/libkhufu.so RUBYLIB=bindings/ruby/lib rackup examples/ruby/sinatra.ru

require "khufu"
require "rack/session/khufu"
require "sinatra/base"

# The pages. The form has the token that Rack::Protection checks.
class GuestBook < Sinatra::Base
  set :session_store, Rack::Session::Khufu
  set :sessions, secret: ENV.fetch("SESSION_SECRET") { Khufu.generate_secret }, timeout: 3600
  set :protection, use: :authenticity_token, reaction: :deny

  get "/" do
    token = Rack::Protection::AuthenticityToken.token(session)
    messages = env["khufu.session"].pop_flash # Pyramid's flash messages
    "#{messages.join} Entries: #{Array(session[:entries]).join(', ')}\n" \
      "<form method=post><input name=entry><input type=hidden name=authenticity_token value=\"#{token}\"></form>\n"
  end

  post "/" do
    session[:entries] ||= []
    session[:entries] << params[:entry]
    env["khufu.session"].flash("Thank you.")
    redirect to("/"), 303
  end
end

run GuestBook
