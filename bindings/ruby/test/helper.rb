# frozen_string_literal: true

# Tests the library that KHUFU_LIBRARY names, or else the staged one, if there is one.
target = ENV.fetch("CARGO_TARGET_DIR") { File.expand_path("../../../target", __dir__) }
staged = File.join(target, "stage/lib/libkhufu.so")
ENV["KHUFU_LIBRARY"] ||= staged if File.exist?(staged)

require "khufu"
require "json"
require "minitest/autorun"
require "openssl"

# Helpers that the tests share. Some sign cookies with any payload, as Pyramid does.
module SessionHelper
  SECRET = "itsaseekreet"
  NOW = 1_700_000_060
  RENEWED = 1_700_000_000
  CREATED = 1_699_999_899.75
  VECTORS = File.expand_path("../../../tests/vectors", __dir__)

  def factory(**options) = Khufu::Factory.new(secret: SECRET, **options)

  # Opens a new session, or a session whose state is this JSON text.
  def open_state(json = nil, now: NOW, **options)
    factory(**options).open(json && cookie("[#{RENEWED},#{CREATED},#{json}]"), now: now)
  end

  def sign(payload, secret: SECRET, salt: "pyramid.session.")
    mac = OpenSSL::HMAC.digest("SHA512", salt + secret, payload)
    [mac + payload.b].pack("m0").tr("+/", "-_").delete("=")
  end

  def cookie(payload, **key) = "session=#{sign(payload, **key)}"

  # Commits a session and returns the Set-Cookie values of the response.
  def committed(session, **options) = set_cookies(session.commit(**options))

  def set_cookies(headers) = headers.filter_map { |name, value| value if name == "Set-Cookie" }

  # Returns the Cookie header that a browser sends after it received these headers.
  def sent_back(headers) = set_cookies(headers).map { |set_cookie| set_cookie[/\A[^;]*/] }.join("; ")

  def vectors(name) = JSON.parse(File.read(File.join(VECTORS, "#{name}.json")))

  # Converts Times to Floats. Unlike Time#to_f, this gives exactly the Float that a Time was made from.
  def seconds(*times) = times.map { |time| time.to_r.to_f }

  # Runs a Ruby program in a process of its own and returns its output and status.
  def run_ruby(program, environment = {})
    command = [RbConfig.ruby, "-w", "-I", File.expand_path("../lib", __dir__), "-e", program]
    output = IO.popen(ENV.to_h.merge(environment), command, err: %i[child out], &:read)
    [output, Process.last_status]
  end
end

class SessionTest < Minitest::Test
  include SessionHelper
end
