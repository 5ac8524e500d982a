# frozen_string_literal: true

# The demo's Ruby server, whose page removes articles from the cart. README.md says what every server does.

require "khufu"
require "optparse"
require "puma"
require "rack/session/khufu"
require "sinatra/base"

# The page of the cart, and the session as JSON.
class Cart < Sinatra::Base
  store = ENV.fetch("KHUFU_STORE", "")
  use Rack::Session::Khufu, secret: ENV.fetch("KHUFU_SECRET"),
                            previous_secret: ENV.fetch("KHUFU_PREVIOUS_SECRET", "").split,
                            **(store.empty? ? {} : { type: :store, store: store })
  set :erb, escape_html: true
  disable :show_exceptions
  enable :inline_templates

  helpers do
    def khufu = env["khufu.session"]

    def refuse(status, text) = halt(status, { "content-type" => "text/plain" }, "#{text}\n")
  end

  not_found { refuse 404, "There is no such page." }

  before do
    refuse 403, "csrf_token: missing or wrong" if request.post? && !khufu.valid_csrf_token?(params["csrf_token"])
  end

  get "/cart" do
    cart = session.to_h.select { |key,| key.start_with?("cart.") }
    @articles = cart.transform_keys { |key| key.delete_prefix("cart.") }
    @token = khufu.csrf_token
    erb :cart
  end

  post "/cart" do
    sku = params["sku"].to_s
    refuse 400, "sku: must have 1 to 40 characters" unless sku.length.between?(1, 40)
    session.delete("cart.#{sku}")
    redirect to("/cart"), 303
  end

  get "/session" do
    content_type :json
    JSON.generate(server: "ruby", load_result: khufu.load_result, csrf_token: khufu.csrf_token, state: khufu,
                  flash: khufu.peek_flash)
  end
end

port = nil
OptionParser.new { |options| options.on("--port N", Integer) { |number| port = number } }.parse!
abort "usage: ruby_server.rb --port N" unless port

server = Puma::Server.new(Cart)
server.add_tcp_listener("127.0.0.1", port)
%w[INT TERM].each { |signal| trap(signal) { server.stop } }
puts "listening on 127.0.0.1:#{port}"
$stdout.flush
server.run.join

__END__

@@cart
<h1>Your cart</h1>
<% khufu.pop_flash.each do |message| %>
<p class="message"><%= message %></p>
<% end %>
<% if @articles.empty? %>
<p>Your cart is empty. <a href="/shop">Go to the shop</a></p>
<% else %>
<ul class="rows">
<% @articles.each do |sku, quantity| %>
<li>
<svg aria-hidden="true"><use href="/articles.svg#<%= sku %>"/></svg>
<span><%= quantity %> × <%= sku %></span>
<form method="post" action="/cart">
<input type="hidden" name="csrf_token" value="<%= @token %>">
<input type="hidden" name="sku" value="<%= sku %>">
<button aria-label="Remove <%= sku %>">Remove</button>
</form>
</li>
<% end %>
</ul>
<p><a href="/checkout">Go to the checkout</a></p>
<% end %>
