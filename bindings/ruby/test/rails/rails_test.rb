# frozen_string_literal: true

require_relative "../helper"
require "rack"

# The example on Rails, with Rack::Lint in front of it.
class RailsTest < SessionTest
  ENV["SESSION_SECRET"] = SECRET
  example = File.expand_path("../../../../examples/ruby/rails.ru", __dir__)
  APPLICATION = Rack::MockRequest.new(Rack::Lint.new(Rack::Builder.parse_file(example).first))

  # A controller for what the example does not show.
  class ProbeController < ActionController::Base
    class << self
      attr_accessor :handler
    end

    def show = render(plain: instance_exec(&self.class.handler).to_s)
  end
  Rails.logger.level = Logger::UNKNOWN
  Notes.routes.append { get "/probe", to: "rails_test/probe#show" }
  Notes.routes.eager_load!
  Notes.reload_routes!

  def test_a_session_lasts_and_what_is_changed_in_place_is_saved
    3.times { |n| assert_equal 302, post("/notes", note: "note #{n}").status }
    assert_includes get("/").body, "<ul><li>note 0</li><li>note 1</li><li>note 2</li></ul>"
  end

  def test_rails_flash_is_under_its_own_key
    post("/notes", note: "n")
    assert_equal({ "flashes" => { "notice" => "The note is saved." }, "discard" => [] },
                 probe { request.env["khufu.session"]["flash"].to_json }.then { |json| JSON.parse(json) })
    assert_equal "[]", probe { request.env["khufu.session"].peek_flash }
    assert_equal ["<p>The note is saved.</p>", "<p></p>"], Array.new(2) { get("/").body.lines.first.chomp }
  end

  def test_pyramids_flash_messages
    probe { request.env["khufu.session"].flash("from Rails") }
    assert_equal '["from Rails"]', probe { request.env["khufu.session"].pop_flash }
  end

  def test_csrf
    form = get("/").body[/name="authenticity_token" value="([^"]+)"/, 1]
    [{}, { authenticity_token: "x" }].each { |wrong| assert_equal 422, request("POST", "/notes", wrong).status }
    assert_equal 302, request("POST", "/notes", { note: "n", authenticity_token: form }).status
    @cookie = nil
    assert_equal 422, request("POST", "/notes", { note: "n", authenticity_token: form }).status
  end

  def test_reset_session
    post("/notes", note: "secret")
    before = @cookie
    response = post("/logout")
    assert_match(/\Asession=; Max-Age=0/, response.headers["Set-Cookie"])
    assert_match(/no-store/, response.headers["Cache-Control"])
    [before, nil].each do |cookie|
      @cookie = cookie
      refute_includes get("/").body, "secret"
    end
  end

  def test_what_is_set_after_reset_session_belongs_to_a_new_session
    probe { session.update("user" => "ada", "locale" => "de") }
    before = @cookie
    probe { reset_session || session["locale"] = "de" }
    refute_equal before, @cookie
    assert_equal '{"locale"=>"de"}', probe { session.to_h }
  end

  def test_options_of_a_request
    probe { session["a"] = 1 }
    before = @cookie
    probe { (session[:user] = { "name" => "ada" }) && (request.session_options[:renew] = true) }
    refute_equal before, @cookie
    id = probe { session.id }
    assert_equal ["true", id, '{"a"=>1, "user"=>{"name"=>"ada"}}'],
                 [probe { session.exists? }, probe { session["session_id"] }, probe { session.to_h }]
    probe { (session["a"] = 2) && (request.session_options[:skip] = true) }
    assert_equal "1", probe { session["a"] }
  end

  def test_a_duration_of_rails
    store = ActionDispatch::Session::KhufuStore.new(nil, secret: SECRET, expire_after: 14.days)
    assert_instance_of ActionDispatch::Session::KhufuStore, store
    probe { session["a"] = 1 }
    response = with_probe(-> { request.session_options[:expire_after] = 2.weeks })
    assert_match(/; Max-Age=1209600;/, response.headers["Set-Cookie"])
  end

  def test_a_request_that_does_not_use_the_session
    headers = with_probe(-> { "x" }).headers
    assert_equal [nil, nil], headers.values_at("Set-Cookie", "Vary")
  end

  private

  def get(path) = request("GET", path)

  # Sends a form with its CSRF token.
  def post(path, **form)
    token = get("/").body[/name="authenticity_token" value="([^"]+)"/, 1]
    request("POST", path, { authenticity_token: token, **form })
  end

  def probe(&handler) = with_probe(handler).body

  def with_probe(handler)
    ProbeController.handler = handler
    get("/probe")
  end

  def request(method, path, form = {})
    environment = { "HTTP_COOKIE" => @cookie, "rack.multiprocess" => false }.compact
    environment[:params] = form if method == "POST"
    response = APPLICATION.request(method, path, environment)
    response.headers["Set-Cookie"].to_s.lines.each { |set_cookie| @cookie = set_cookie[/\A[^;]*/] }
    response
  end
end
