# frozen_string_literal: true

# A Rails application in one file: Rails' session, flash, CSRF protection and reset_session with khufu's sessions.
#
#     KHUFU_LIBRARY=target/stage/lib/libkhufu.so RUBYLIB=bindings/ruby/lib rackup examples/ruby/rails.ru

require "action_controller/railtie"
require "action_dispatch/session/khufu_store"

# The application's configuration, which is in config/application.rb and config/routes.rb elsewhere.
class Notes < Rails::Application
  config.session_store :khufu_store, secret: ENV.fetch("SESSION_SECRET") { Khufu.generate_secret },
                                     type: :store, store: ENV.fetch("SESSION_STORE", "memory:")
  config.secret_key_base = Khufu.generate_secret
  config.consider_all_requests_local = false
  config.eager_load = false
  config.hosts.clear
  config.logger = Logger.new($stderr)
  config.log_level = :warn

  routes.append do
    root "notes#index"
    post "/notes", to: "notes#create"
    post "/logout", to: "notes#logout"
  end
end

# The notes of one visitor.
class NotesController < ActionController::Base
  protect_from_forgery with: :exception

  def index
    render inline: <<~PAGE
      <p><%= flash[:notice] %></p>
      <%= form_tag "/notes" do %><%= text_field_tag :note %><% end %>
      <ul><% Array(session[:notes]).each do |note| %><li><%= note %></li><% end %></ul>
    PAGE
  end

  def create
    session[:notes] ||= []
    session[:notes] << params[:note]
    redirect_to "/", notice: "The note is saved."
  end

  def logout
    reset_session
    redirect_to "/"
  end
end

Notes.initialize!
run Notes
