# frozen_string_literal: true

require_relative "../helper"
require "tmpdir"
require_relative "web_server"

# The examples for Rack, Sinatra and Rails, under Puma and WEBrick, visited by clients.
class ServersTest < SessionTest
  EXAMPLES = File.expand_path("../../../../examples/ruby", __dir__)

  def test_threads_and_forked_workers_keep_each_others_changes
    [%w[-t 8:8], %w[-w 2 -t 4:4 --preload]].each do |how|
      Dir.mktmpdir do |folder|
        serve("config.ru", *how, "SESSION_STORE" => "sqlite:#{folder}/sessions.db") do |server|
          cookie = server.browser.tap { |browser| browser.post("/cart/first") }.cookie
          threads = Array.new(6) do |article|
            Thread.new { Array.new(8) { server.browser(cookie: cookie).post("/cart/#{article}").code } }
          end
          assert_equal ["200"], threads.flat_map(&:value).uniq
          expected = { "cart.first" => 1, **Array.new(6) { |article| ["cart.#{article}", 8] }.to_h }
          assert_equal expected, JSON.parse(server.browser(cookie: cookie).get("/").body)
        end
      end
    end
  end

  def test_sessions_in_cookies_under_forked_workers
    serve("config.ru", "-w", "2", "--preload") do |server|
      browser = server.browser
      20.times { browser.post("/cart/a") }
      assert_equal '{"cart.a":20}', browser.get("/").body.chomp
      assert_empty server.errors.lines.grep(/khufu/)
    end
  end

  def test_login_and_logout
    Dir.mktmpdir do |folder|
      serve("config.ru", "-w", "2", "--preload", "SESSION_STORE" => "sqlite:#{folder}/sessions.db") do |server|
        browser = server.browser
        browser.post("/cart/a")
        before = browser.cookie
        browser.post("/login?user=ada")
        refute_equal before, browser.cookie
        assert_equal '{"cart.a":1,"user":"ada"}', browser.get("/").body.chomp
        during = browser.cookie
        assert_equal "no-store", browser.post("/logout")["Cache-Control"]
        assert_equal ["session=", "{}"], [browser.cookie, server.browser(cookie: during).get("/").body.chomp]
      end
    end
  end

  def test_memory_in_forked_workers_is_warned_of_once_by_each
    serve("config.ru", "-w", "1", "--preload", "SESSION_STORE" => "memory:") do |server|
      5.times { server.browser.get("/") }
      assert_equal 1, server.errors.scan("do not share the sessions in memory:").length
    end
  end

  def test_sinatra
    serve("sinatra.ru", "-t", "4:4") do |server|
      browser = server.browser
      token = browser.get("/").body[/value="([^"]+)"/, 1]
      %w[ada bob].each { |entry| assert_equal "303", browser.post("/", entry: entry, authenticity_token: token).code }
      assert_match(/\AThank you\.Thank you\. Entries: ada, bob$/, browser.get("/").body)
      assert_equal "403", server.browser.post("/", entry: "eve", authenticity_token: token).code
      assert_match(/\A Entries: ada, bob$/, browser.get("/").body)
    end
  end

  def test_rails
    Dir.mktmpdir do |folder|
      serve("rails.ru", "-w", "2", "--preload", "SESSION_STORE" => "sqlite:#{folder}/sessions.db") do |server|
        browser = server.browser
        token = browser.get("/").body[/authenticity_token" value="([^"]+)"/, 1]
        browser.post("/notes", note: "first", authenticity_token: token)
        assert_match(%r{<p>The note is saved.</p>.*<li>first</li>}m, browser.get("/").body)
      end
    end
  end

  def test_rackup_and_webrick
    rack3 = `#{File.expand_path('../../../../scripts/rack3', __dir__)}`.chomp
    { "require 'rack'; Rack" => "", "require 'rackup'; Rackup" => rack3 }.each do |rack, folders|
      run = "#{rack}::Server.start(config: ARGV[0], Port: ARGV[1], server: 'webrick', environment: 'none')"
      command = [RbConfig.ruby, "-I", LIBRARY, "-e", run, File.join(EXAMPLES, "config.ru"), "PORT"]
      start(command, { "RUBYLIB" => folders }) do |server|
        browser = server.browser
        3.times { browser.post("/cart/a") }
        assert_equal '{"cart.a":3}', browser.get("/").body.chomp
      end
    end
  end

  LIBRARY = File.expand_path("../../lib", __dir__)
  private_constant :LIBRARY

  private

  def serve(example, *options, **environment, &block)
    start(["puma", *options, "-b", "tcp://127.0.0.1:PORT", File.join(EXAMPLES, example)], environment, &block)
  end

  def start(command, environment, &block)
    environment = { "SESSION_SECRET" => SECRET, "RUBYLIB" => LIBRARY, "RACK_ENV" => "production", **environment }
    WebServer.run(command, environment, &block)
  end
end
