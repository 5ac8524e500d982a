# frozen_string_literal: true

require "net/http"
require "socket"
require "tempfile"

# A server in a process of its own, and clients that keep its cookies.
class WebServer
  # Starts a server and yields it.
  # @param command [Array<String>] with {port} for the port
  def self.run(command, environment = {})
    server = new(command, environment)
    yield server
  ensure
    server&.stop
  end

  def initialize(command, environment)
    @port = TCPServer.open("127.0.0.1", 0) { |free| free.addr[1] }
    @errors = Tempfile.new("errors")
    command = command.map { |word| word.gsub("PORT", @port.to_s) }
    @pid = spawn(environment, *command, out: File::NULL, err: @errors, pgroup: true)
    wait
  end

  # @return [Browser]
  def browser(cookie: nil) = Browser.new(@port, cookie)

  # @return [String] what the server wrote to its standard error
  def errors = File.read(@errors.path)

  def stop
    Process.kill(:TERM, -@pid)
    Process.wait(@pid)
  end

  private

  def wait
    TCPSocket.new("127.0.0.1", @port).close
  rescue Errno::ECONNREFUSED
    raise "the server did not start: #{errors}" if Process.wait(@pid, Process::WNOHANG)

    sleep(0.02)
    retry
  end
end

# A client that keeps one cookie.
class Browser
  attr_reader :cookie

  def initialize(port, cookie)
    @port = port
    @cookie = cookie
  end

  def get(path) = request(Net::HTTP::Get.new(path))

  def post(path, **form) = request(Net::HTTP::Post.new(path).tap { |post| post.set_form_data(form) })

  private

  def request(request)
    request["Cookie"] = @cookie if @cookie
    response = Net::HTTP.start("127.0.0.1", @port) { |http| http.request(request) }
    response.get_fields("Set-Cookie").to_a.each { |set_cookie| @cookie = set_cookie[/\A[^;]*/] }
    response
  end
end
