# frozen_string_literal: true

module Khufu
  module Native
    # A pointer to an object of the library. {#free} or the garbage collector frees the object.
    class Handle < FFI::AutoPointer
      # A copy would have the same finalizer and free the same memory again.
      undef_method :dup, :clone

      # If an interrupt ended this method midway, the finalizer would free the same memory again.
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
