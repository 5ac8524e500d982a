# frozen_string_literal: true

require "socket"
require "tmpdir"

# A Redis of a test's own, on a socket in a temporary folder.
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
    @socket = connect(path, patience: 10)
  end

  # Sends a command; gives the first line of its answer.
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

  def connect(path, patience:)
    UNIXSocket.new(path)
  rescue SystemCallError
    raise if patience.negative?

    sleep(0.01)
    connect(path, patience: patience - 0.01)
  end
end
