# frozen_string_literal: true

require "action_dispatch"
require "action_dispatch/middleware/session/abstract_store"
require "rack/session/khufu"

module ActionDispatch
  module Session
    # The session store of a Rails application. Rails' `session`, `reset_session`, `flash` and `protect_from_forgery`
    # work as with Rails' own stores. Rails keeps its flash messages under its own key, `flash`, where Pyramid does not
    # look. `request.env["khufu.session"].flash` writes Pyramid's.
    #
    # @example In config/application.rb
    #   require "action_dispatch/session/khufu_store"
    #   config.session_store :khufu_store, secret: ENV.fetch("SESSION_SECRET")
    # @see Rack::Session::Khufu#initialize
    class KhufuStore < Rack::Session::Khufu
      include SessionObject
      public :load_session # which Rails calls

      private

      def make_request(env) = ActionDispatch::Request.new(env)
    end
  end
end
