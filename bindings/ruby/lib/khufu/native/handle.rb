# frozen_string_literal: true

module Khufu
  module Native
    # A pointer that is freed when the garbage collector finds it, or by {#free} before.
    class Handle < FFI::AutoPointer
      # A copy would have the finalizer too, and free the same memory once more.
      undef_method :dup, :clone

      # An interrupt in the middle would leave the finalizer to free the same memory once more.
      def free = Native.uninterrupted { super }
    end

    # `khufu_options *`
    class OptionsHandle < Handle
      def self.release(pointer) = Native.khufu_options_free(pointer)
    end

    # `khufu_factory *`
    class FactoryHandle < Handle
      def self.release(pointer) = Native.khufu_factory_free(pointer)
    end

    # `khufu_session *`
    class SessionHandle < Handle
      def self.release(pointer) = Native.khufu_session_free(pointer)
    end

    # `khufu_subject *`
    class SubjectHandle < Handle
      def self.release(pointer) = Native.khufu_subject_free(pointer)
    end
  end
end
