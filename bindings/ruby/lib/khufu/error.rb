# frozen_string_literal: true

module Khufu
  # The superclass of khufu's errors. No message holds a secret or a session's contents.
  class Error < StandardError
    # @return [Integer] the number of this kind of error in `khufu.h`
    def status = self.class::STATUS

    # @param status [Integer] an error status of `khufu.h`
    # @param detail [String] the message; if empty, the general message of the status
    # @return [Error] an error of the class for the status
    # @api private
    def self.for(status, detail)
      detail = Native.khufu_status_message(status) if detail.empty?
      CLASSES.fetch(status, InternalError).new(detail.dup.force_encoding(Encoding::UTF_8))
    end
  end

  # The session is closed, a time is invalid, or an argument has the wrong type.
  class ArgumentError < Error
    STATUS = 2
  end

  # A key or a string is not valid UTF-8 and cannot be converted to it.
  class EncodingError < Error
    STATUS = 3
  end

  # A value has no JSON form or is nested deeper than 500 levels, or a key is neither a String nor a Symbol.
  class JSONError < Error
    STATUS = 4
  end

  # A value has the wrong type:
  #
  # - a value to be read holds NaN or an infinity, which JSON text cannot represent,
  # - the key of a flash queue or of {Session#append} does not hold a list, or that of {Session#increment} an integer,
  # - a path of {Session#dig} leads through a string or a number, or
  # - the object cannot be copied.
  class TypeError < Error
    STATUS = 5
  end

  # A number to be set is not finite, or is an integer of more than 4,300 digits, which Python does not read. Also, the
  # sum of {Session#increment} does not fit in 64 bits.
  class RangeError < Error
    STATUS = 6
  end

  # Browsers would drop the cookie: its value has more than 4064 bytes, or name and value together more than 4096. The
  # session stays as it was: delete a key and commit again.
  class TooLargeError < Error
    STATUS = 7
  end

  # The name or value of an option is wrong.
  class OptionError < Error
    STATUS = 8
  end

  # {Session#commit} would replace a valid session that could not be read here. Call {Session#invalidate} first to
  # replace it.
  class UnsupportedError < Error
    STATUS = 9
  end

  # The system's random generator failed.
  class RandomError < Error
    STATUS = 10
  end

  # There is a bug in khufu.
  class InternalError < Error
    STATUS = 11
  end

  # The store failed or took too long. If a custom store raised an error, that error is the `cause`.
  class StoreError < Error
    STATUS = 12
  end

  # Other requests kept changing the session until the timeout, or set a key that {Session#append} or
  # {Session#increment} changed to a value of another type. The session stays as it was: commit again, or use
  # {Factory#transact}.
  class ConflictError < Error
    STATUS = 13
  end

  # Another request has ended the session or given it a new id. Send no cookie. The data can still be read.
  class GoneError < Error
    STATUS = 14
  end

  # The library in the option `library` keeps one of the session's keys for itself. Use another key.
  class ReservedKeyError < Error
    STATUS = 15
  end

  class Error
    CLASSES = Error.subclasses.to_h { |subclass| [subclass::STATUS, subclass] }.freeze
    private_constant :CLASSES
  end
end
