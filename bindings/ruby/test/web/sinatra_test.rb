# frozen_string_literal: true

require_relative "../helper"
require "rack"
require "rack/session/khufu"
require "sinatra/base"
require "tmpdir"
require_relative "../scripted_store"

# What Sinatra does itself: it answers errors of a route, and Rack::Protection uses the session.
class SinatraTest < SessionTest
  def test_a_store_that_is_down
    [true, false].each do |protection|
      %i[load save].each do |method|
        status, body, log = answer(method, protection)
        assert_equal [503, false], [status, body.include?("down")], [protection, method]
        assert_match(/StoreError|khufu: .*store/, log)
      end
    end
  end

  def test_a_session_that_rack_protection_drops
    header = sent_back(factory.open.update("a" => 1, "tracking" => { "HTTP_USER_AGENT" => "x" }).commit)
    application = Class.new(Sinatra::Base) do
      configure(:test) { set :environment, :production }
      set :session_store, Rack::Session::Khufu
      set :sessions, secret: SECRET
      get("/") { session.to_h.except("tracking").to_s }
    end
    response = Rack::MockRequest.new(application).get("/", "HTTP_COOKIE" => header, "HTTP_USER_AGENT" => "another")
    assert_equal [200, "{}"], [response.status, response.body]
  end

  private

  # The response of an application in production whose store fails.
  def answer(method, protection)
    Dir.mktmpdir do |folder|
      store = ScriptedStore.new(File.join(folder, "sessions"), method => -> { raise "down" })
      header = sent_back(factory(store: PStoreStore.new(File.join(folder, "sessions"))).open.update("a" => 1).commit)
      application = Class.new(Sinatra::Base) do
        set :environment, :production
        set :session_store, Rack::Session::Khufu
        set :sessions, secret: SECRET, store: store
        set :protection, protection
        get("/") { session[:a] += 1 }
      end
      response = Rack::MockRequest.new(application).get("/", "HTTP_COOKIE" => header, "rack.multiprocess" => false)
      [response.status, response.body, response.errors]
    end
  end
end
