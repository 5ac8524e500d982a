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
require_relative "khufu/factory"
require_relative "khufu/session"
require_relative "khufu/session/dictionary"
require_relative "khufu/session/flash"
require_relative "khufu/session/csrf"
require_relative "khufu/session/response"
require_relative "khufu/subject"

# Sessions that a Ruby program shares with the Python web framework Pyramid: the same cookies, read and written.
#
# @example A request's way
#   factory = Khufu::Factory.new(secret: ENV.fetch("SESSION_SECRET"), httponly: true)
#
#   session = factory.open(env["HTTP_COOKIE"])
#   session["visits"] = session.fetch("visits", 0) + 1
#   session.commit_to(headers)
module Khufu
  private_constant :Native, :Text, :Value

  # Hexadecimal digits of a secret, by what it is for.
  SECRET_DIGITS = { signing: 128, encryption: 64 }.freeze
  private_constant :SECRET_DIGITS

  # A new secret from the system's random generator.
  #
  # @param kind [:signing, :encryption] for `type` signed_cookie or encrypted_cookie
  # @return [String] hexadecimal digits: 128 for signing, 64 for encryption. Pyramid takes the same text.
  # @raise [RandomError] if the system gives no random bytes
  def self.generate_secret(kind = :signing)
    digits = SECRET_DIGITS.fetch(kind) do
      raise ArgumentError, "a secret is for #{SECRET_DIGITS.keys.join(' or ')}, not #{kind.inspect}"
    end
    buffer = FFI::MemoryPointer.new(digits + 1)
    status = Native.khufu_generate_secret(buffer, buffer.size)
    raise Error.for(status, "") unless status == Native::OK

    buffer.read_bytes(digits).force_encoding(Encoding::UTF_8)
  ensure
    buffer&.clear
  end
end
