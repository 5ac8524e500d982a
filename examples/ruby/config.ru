# frozen_string_literal: true

# A shop on Rack 2 or 3. A visitor fills a cart, logs in, and logs out. Each article has a key of its own, so that
# concurrent requests keep each other's changes.
#
#     KHUFU_LIBRARY=target/stage/lib/libkhufu.so RUBYLIB=bindings/ruby/lib rackup examples/ruby/config.ru
#     curl -c jar -b jar -d '' http://localhost:9292/cart/A-1

require "khufu"
require "rack/session/khufu"

# Without SESSION_STORE, such as sqlite:sessions.db, the sessions are in cookies.
store = ENV.fetch("SESSION_STORE", nil)
use Rack::Session::Khufu, secret: ENV.fetch("SESSION_SECRET") { Khufu.generate_secret },
                          **(store ? { type: :store, store: store, store_timeout: 10 } : {})

run(lambda { |env|
  session = env["rack.session"]
  case env["REQUEST_METHOD"] + env["PATH_INFO"]
  when %r{\APOST/cart/([\w-]+)\z} then session["cart.#{$1}"] = session.fetch("cart.#{$1}", 0) + 1
  when "POST/login"
    session["user"] = Rack::Utils.parse_query(env["QUERY_STRING"])["user"]
    session.options[:renew] = true
  when "POST/logout" then session.destroy
  end
  [200, { "content-type" => "application/json" }, ["#{JSON.generate(session.to_h)}\n"]]
})
