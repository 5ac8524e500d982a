# frozen_string_literal: true

# The library that is tested: the one that KHUFU_LIBRARY names, else the one that the build staged, if any.
target = ENV.fetch("CARGO_TARGET_DIR") { File.expand_path("../../../target", __dir__) }
staged = File.join(target, "stage/lib/libkhufu.so")
ENV["KHUFU_LIBRARY"] ||= staged if File.exist?(staged)

require "khufu"
require "json"
require "minitest/autorun"
require "openssl"

# Cookies as Pyramid signs them, of any payload; and what the tests have in common.
module SessionHelper
  SECRET = "itsaseekreet"
  NOW = 1_700_000_060
  RENEWED = 1_700_000_000
  CREATED = 1_699_999_899.75
  VECTORS = File.expand_path("../../../tests/vectors", __dir__)

  def factory(**options) = Khufu::Factory.new(secret: SECRET, **options)

  # A new session, or the one of a state's JSON text.
  def open_state(json = nil, now: NOW, **options)
    factory(**options).open(json && cookie("[#{RENEWED},#{CREATED},#{json}]"), now: now)
  end

  def sign(payload, secret: SECRET, salt: "pyramid.session.")
    mac = OpenSSL::HMAC.digest("SHA512", salt + secret, payload)
    [mac + payload.b].pack("m0").tr("+/", "-_").delete("=")
  end

  def cookie(payload, **key) = "session=#{sign(payload, **key)}"

  # The Cookie header that a browser sends after it was given these Set-Cookie values.
  def sent_back(set_cookies)
    set_cookies.map { |set_cookie| set_cookie[/\A[^;]*/] }.join("; ")
  end

  def vectors(name) = JSON.parse(File.read(File.join(VECTORS, "#{name}.json")))

  # Time#to_f rounds; a time that came from a Float is that Float again.
  def seconds(*times) = times.map { |time| time.to_r.to_f }

  # Runs a Ruby program of its own; its output and status.
  def run_ruby(program, environment = {})
    command = [RbConfig.ruby, "-w", "-I", File.expand_path("../lib", __dir__), "-e", program]
    output = IO.popen(ENV.to_h.merge(environment), command, err: %i[child out], &:read)
    [output, Process.last_status]
  end
end

class SessionTest < Minitest::Test
  include SessionHelper
end
