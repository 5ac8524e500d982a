# frozen_string_literal: true

# The demo's Ruby server, which removes articles from the cart. README.md says what every server does.

require "erb"
require "json"
require "khufu"
require "optparse"
require "uri"
require "webrick"

# Answers one request with its session.
class Shop
  PAGE = ERB.new(<<~HTML, trim_mode: "-")
    <!doctype html>
    <meta charset="utf-8"><title>ruby</title>
    <h1>ruby</h1>
    <nav><% PEERS.each do |name, port| %><a href="http://127.0.0.1:<%= h(port) %>/"><%= h(name) %></a> <% end %></nav>
    <%- session.peek_flash.each do |message| -%>
    <p><%= h(message) %></p>
    <%- end -%>
    <form method="post" action="/cart/delete">
    <input type="hidden" name="csrf_token" value="<%= h(session.csrf_token) %>">
    <label>Article <input name="sku" value="A-1" required maxlength="40"></label> <button>Remove from the cart</button>
    </form>
    <pre><%= h(JSON.pretty_generate(JSON.parse(session.to_json))) %></pre>
  HTML
  PEERS = ENV.fetch("KHUFU_PEERS", "").split(",").map { |peer| peer.split("=") }.reject { |name,| name == "ruby" }
  private_constant :PAGE, :PEERS

  include ERB::Util

  attr_reader :session

  def initialize(session)
    @session = session
  end

  # @return [Array(Integer, String, String)] status, content type and body
  def answer(method, path, form)
    case [method, path]
    in ["GET", "/"] then [200, "text/html; charset=utf-8", PAGE.result(binding)]
    in ["GET", "/session"] then [200, "application/json", JSON.generate(seen)]
    in ["POST", "/cart/delete"] then remove_from_cart(form)
    else text(404, "There is no such page.")
    end
  end

  private

  def seen
    {
      server: "ruby", load_result: session.load_result, csrf_token: session.csrf_token, state: session,
      flash: session.peek_flash
    }
  end

  def remove_from_cart(form)
    return text(403, "csrf_token: missing or wrong") unless session.valid_csrf_token?(form["csrf_token"])

    sku = form["sku"].to_s
    return text(400, "sku: must have 1 to 40 characters") unless sku.length.between?(1, 40)

    session.delete("cart.#{sku}")
    text(303, "")
  end

  def text(status, body) = [status, "text/plain; charset=utf-8", body]
end

def form(request)
  URI.decode_www_form(request.body.to_s).to_h
rescue ArgumentError
  {}
end

def serve(factory, request, response)
  factory.open(request["Cookie"]) do |session|
    fields = request.request_method == "POST" ? form(request) : {}
    response.status, response.content_type, response.body =
      Shop.new(session).answer(request.request_method, request.path, fields)
    response["Location"] = "/" if response.status == 303
    session.commit.each { |name, value| name == "Set-Cookie" ? response.cookies << value : response[name] = value }
  end
end

port = nil
OptionParser.new { |options| options.on("--port N", Integer) { |number| port = number } }.parse!
abort "usage: ruby_server.rb --port N" unless port

store = ENV.fetch("KHUFU_STORE", "")
kept = store.empty? ? {} : { type: :store, store: store }
factory = Khufu::Factory.new(secret: ENV.fetch("KHUFU_SECRET"), httponly: true, **kept)
server = WEBrick::HTTPServer.new(
  BindAddress: "127.0.0.1", Port: port, AccessLog: [], Logger: WEBrick::Log.new($stderr, WEBrick::Log::WARN),
  StartCallback: -> { puts("listening on 127.0.0.1:#{port}") or $stdout.flush }
)
server.mount_proc("/") { |request, response| serve(factory, request, response) }
%w[INT TERM].each { |signal| trap(signal) { server.shutdown } }
server.start
