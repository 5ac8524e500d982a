# frozen_string_literal: true

module Khufu
  # What everything that khufu raises inherits from. No message holds a secret or a cookie's contents.
  class Error < StandardError
    # @return [Integer] the status's number in `khufu.h`
    def status = self.class::STATUS

    # @param status [Integer] a status of `khufu.h` that is a failure
    # @param detail [String] what failed, or "" for the status's own words
    # @return [Error] of the class that stands for the status
    # @api private
    def self.for(status, detail)
      detail = Native.khufu_status_message(status) if detail.empty?
      CLASSES.fetch(status, InternalError).new(detail.dup.force_encoding(Encoding::UTF_8))
    end
  end

  # A session that was closed, a time that is none, or an argument of the wrong type.
  class ArgumentError < Error
    STATUS = 2
  end

  # A key or a text that is not, and cannot be made, UTF-8.
  class EncodingError < Error
    STATUS = 3
  end

  # A value that JSON does not have, or one nested deeper than 500 levels; a key that is neither a String nor a Symbol.
  class JSONError < Error
    STATUS = 4
  end

  # A value that holds NaN or an infinity in its depth, which JSON text cannot say; a flash queue's key that holds
  # something else than a list; a path that leads through a text or a number; or a session that was to be copied.
  class TypeError < Error
    STATUS = 5
  end

  # A number to be set that is not finite, or an integer of more than 4,300 digits, which Python does not read.
  class RangeError < Error
    STATUS = 6
  end

  # A session that does not fit into a cookie (4064 bytes). It stays as it was: delete a key and commit again.
  class TooLargeError < Error
    STATUS = 7
  end

  # An option's name or value.
  class OptionError < Error
    STATUS = 8
  end

  # A commit that would overwrite a session which its writer can read and this library cannot represent.
  class UnsupportedError < Error
    STATUS = 9
  end

  # The system gave no random bytes.
  class RandomError < Error
    STATUS = 10
  end

  # A bug in khufu.
  class InternalError < Error
    STATUS = 11
  end

  # A session's store failed, or took longer than it may. What a store of your own raised is the `cause`.
  class StoreError < Error
    STATUS = 12
  end

  # Other requests kept changing the session until the time was up. It stays as it was: commit again.
  class ConflictError < Error
    STATUS = 13
  end

  # Another request has ended the session, or given it a new id. Its data can still be read; send no cookie.
  class GoneError < Error
    STATUS = 14
  end

  class Error
    CLASSES = Error.subclasses.to_h { |subclass| [subclass::STATUS, subclass] }.freeze
    private_constant :CLASSES
  end
end
