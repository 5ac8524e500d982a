# frozen_string_literal: true

module Khufu
  # The sessions of one subject, as they were when {Factory#subject} found them.
  class Subject
    # One of them: what {Khufu::Session#id} tells in it, when it began, and when it was last used.
    #
    # @!attribute [r] id
    #   @return [String]
    # @!attribute [r] created
    #   @return [Time]
    # @!attribute [r] accessed
    #   @return [Time]
    Entry = Struct.new(:id, :created, :accessed)

    # @see Factory#subject
    # @api private
    def initialize(factory, calls, name)
      @calls = calls
      @output = Native::Output.new
      name = Text.of(name, ArgumentError)
      check(Native.uninterrupted { open(factory, name) })
    end

    # @return [Array<Entry>] frozen, the one used last first
    def sessions
      cursor = FFI::MemoryPointer.new(:size_t)
      times = FFI::MemoryPointer.new(:double, 2)
      accessed = times + FFI::Type::DOUBLE.size
      sessions = []
      while check(Native.khufu_subject_next(@handle, cursor, @output.data, @output.size, times, accessed))
        sessions << Entry.new(@output.text.freeze, *times.get_array_of_double(0, 2).map { |time| Time.at(time, in: "UTC") }).freeze
      end
      sessions.freeze
    end

    # Ends one of the subject's sessions, from whatever process.
    # @param id [String] what {Khufu::Session#id} tells in it
    # @return [Boolean] false if the subject has no such session
    # @raise [StoreError] if the store failed
    def revoke(id)
      id = Text.of(id, ArgumentError)
      check(@calls.khufu_subject_revoke(@handle, id, id.bytesize))
    end

    # Ends all of the subject's sessions, those that began meanwhile too.
    # @param except [String, nil] the id of one that stays
    # @return [Integer] how many were ended
    # @raise [StoreError] if the store failed; also if the listed sessions were ended, but a Redis that may evict keys (its
    #   maxmemory-policy is not noeviction) may have lost others from the list
    def revoke_all(except: nil)
      except = except.nil? ? "" : Text.of(except, ArgumentError)
      check(@calls.khufu_subject_revoke_all(@handle, except, except.bytesize, @output.data))
      @output.number
    end

    # @return [String] nothing of whose they are
    def inspect = "#<#{self.class}>"
    alias to_s inspect

    private

    def initialize_copy(_other)
      raise TypeError, "a #{self.class} is not copied"
    end

    def open(factory, name)
      @calls.khufu_subject_open(factory, name, name.bytesize, @output.data)
    ensure
      @handle = Native::SubjectHandle.new(@output.pointer)
    end

    def check(status)
      return true if status == Native::OK
      return false if status == Native::NOT_FOUND

      @calls.fail(Error.for(status, Native.khufu_subject_error(@handle)))
    end
  end
end
