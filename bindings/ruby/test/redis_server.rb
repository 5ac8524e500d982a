# frozen_string_literal: true

require "socket"
require "tmpdir"

# A Redis server for one test, on a socket in a temporary folder.
class RedisServer
  attr_reader :url

  def self.run
    Dir.mktmpdir do |folder|
      server = new(folder)
      yield server
    ensure
      server&.stop
    end
  end

  def initialize(folder)
    path = File.join(folder, "redis.sock")
    @url = "redis+unix://#{path}"
    options = { port: 0, unixsocket: path, save: "", dir: folder }
    @pid = spawn("redis-server", *options.flat_map { |name, value| ["--#{name}", value.to_s] }, out: File::NULL)
    @socket = connect(path, timeout: 10)
  end

  # Sends a command and returns the first line of the reply.
  def call(*words)
    @socket.write("*#{words.size}\r\n", *words.map { |word| "$#{word.to_s.bytesize}\r\n#{word}\r\n" })
    @socket.gets.chomp
  end

  def stop
    @socket&.close
    Process.kill(:TERM, @pid)
    Process.wait(@pid)
  end

  private

  def connect(path, timeout:)
    UNIXSocket.new(path)
  rescue SystemCallError
    raise if timeout.negative?

    sleep(0.01)
    connect(path, timeout: timeout - 0.01)
  end
end
