# frozen_string_literal: true

require "rack"
require "socket"

# What the programs in Ruby share: everything except the sessions. A program's methods answer the requests.
class Shop
  # The visitor has not logged in.
  NoUser = Class.new(StandardError)

  def self.call(env) = new(env).answer

  def initialize(env)
    @env = env
    @request = Rack::Request.new(env)
  end

  def answer
    case @request.request_method + @request.path
    when "GET/" then return [200, { "Content-Type" => "text/plain" }, [page]]
    when "POST/login" then log_in
    when "POST/cart" then add
    when "POST/logout" then log_out
    else return [404, {}, []]
    end
    [303, { "Location" => "/" }, []]
  rescue NoUser
    forbid("Log in first.")
  end

  private

  attr_reader :env, :request

  def session = request.session
  def params = request.params

  def forbid(text) = [403, { "Content-Type" => "text/plain" }, [text, "\n"]]

  # The order in the form, after the warehouse has reserved it.
  def order
    reserve(params["sku"])
    { "sku" => params["sku"], "quantity" => Integer(params["quantity"], 10) }
  end

  # Waits for the answer of the warehouse, which is a TCP server. Without one it returns at once.
  def reserve(sku)
    return unless ENV.key?("WAREHOUSE")

    host, port = ENV["WAREHOUSE"].split(":")
    TCPSocket.open(host, port) do |socket|
      socket.puts(sku)
      socket.read(1)
    end
  end

  # The page that the visitor sees, as text. The token is the CSRF token, if the library has one.
  def show(user, cart, messages, token = nil)
    lines = ["user #{user}"]
    Array(cart).each { |order| lines << "cart #{order['sku']} #{order['quantity']}" }
    Array(messages).each { |message| lines << "message #{message}" }
    lines << "token #{token}" if token
    lines.join("\n") << "\n"
  end
end
