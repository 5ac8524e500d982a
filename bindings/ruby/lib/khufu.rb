# frozen_string_literal: true

require_relative "khufu/version"
require_relative "khufu/native"
require_relative "khufu/native/handle"
require_relative "khufu/native/output"
require_relative "khufu/native/waiting"
require_relative "khufu/native/calling_back"
require_relative "khufu/native/callbacks"
require_relative "khufu/error"
require_relative "khufu/text"
require_relative "khufu/value"
require_relative "khufu/seconds"
require_relative "khufu/options"
require_relative "khufu/response_headers"
require_relative "khufu/factory"
require_relative "khufu/hash_methods"
require_relative "khufu/session"
require_relative "khufu/session/dictionary"
require_relative "khufu/session/flash"
require_relative "khufu/session/csrf"
require_relative "khufu/session/commit"
require_relative "khufu/session/response"
require_relative "khufu/session/thawed"
require_relative "khufu/subject"

# khufu shares sessions with the Python web framework Pyramid: it reads and writes the same cookies.
#
# @example Handling a request
#   factory = Khufu::Factory.new(secret: ENV.fetch("SESSION_SECRET"), httponly: true)
#
#   session = factory.open(env["HTTP_COOKIE"])
#   session["visits"] = session.fetch("visits", 0) + 1
#   session.commit_to(headers)
module Khufu
  private_constant :Native, :Text, :Value, :Seconds, :Options, :ResponseHeaders

  # The number of hexadecimal digits of a secret, by its purpose.
  SECRET_DIGITS = { signing: 128, encryption: 64 }.freeze
  private_constant :SECRET_DIGITS

  # Makes a new secret with the system's random generator.
  #
  # @param kind [:signing, :encryption] `:signing` for `type` signed_cookie or store, `:encryption` for encrypted_cookie
  # @return [String] hexadecimal digits: 128 for signing, 64 for encryption. Use the same text in Pyramid.
  # @raise [RandomError] if the system's random generator fails
  def self.generate_secret(kind = :signing)
    digits = SECRET_DIGITS.fetch(kind) do
      raise ArgumentError, "the kind of a secret must be #{SECRET_DIGITS.keys.join(' or ')}, not #{kind.inspect}"
    end
    buffer = FFI::MemoryPointer.new(digits + 1)
    status = Native.khufu_generate_secret(buffer, buffer.size)
    raise Error.for(status, "") unless status == Native::OK

    buffer.read_bytes(digits).force_encoding(Encoding::UTF_8)
  ensure
    buffer&.clear
  end
end
