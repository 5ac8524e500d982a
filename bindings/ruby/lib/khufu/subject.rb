# frozen_string_literal: true

module Khufu
  # The sessions of one subject (such as a user), as they were when {Factory#subject} was called.
  class Subject
    # One session: its {Khufu::Session#id}, when it began, and when it was last used.
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

    # @return [Array<Entry>] the sessions, frozen, the most recently used first
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

    # Ends one of the subject's sessions. Any process may have opened it.
    # @param id [String] the session's {Khufu::Session#id}
    # @return [Boolean] false if the subject has no such session
    # @raise [StoreError] if the store failed
    def revoke(id)
      id = Text.of(id, ArgumentError)
      check(@calls.khufu_subject_revoke(@handle, id, id.bytesize))
    end

    # Ends all of the subject's sessions, including those that began after {Factory#subject} was called.
    # @param except [String, nil] the id of a session to keep
    # @return [Integer] how many sessions it ended
    # @raise [StoreError] if the store failed. Also if the store is a Redis that may evict keys (its maxmemory-policy is
    #   not noeviction): the listed sessions were ended, but others may be missing from the list
    def revoke_all(except: nil)
      except = except.nil? ? "" : Text.of(except, ArgumentError)
      check(@calls.khufu_subject_revoke_all(@handle, except, except.bytesize, @output.data))
      @output.number
    end

    # @return [String] a text without the subject's name
    def inspect = "#<#{self.class}>"
    alias to_s inspect

    private

    def initialize_copy(_other)
      raise TypeError, "a #{self.class} cannot be copied"
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
