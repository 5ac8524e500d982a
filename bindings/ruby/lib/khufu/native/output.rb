# frozen_string_literal: true

module Khufu
  module Native
    # Memory for the output of a C function: the address and length of a text, or a single value.
    #
    # The text belongs to the library, so it must be copied before the next call.
    class Output
      # @return [FFI::Pointer] where the function writes the text's address, or the single value
      attr_reader :data
      # @return [FFI::Pointer] where the function writes the text's length in bytes
      attr_reader :size

      def initialize
        @data = FFI::MemoryPointer.new(:pointer, 2)
        @size = @data + FFI::Pointer.size
      end

      # @return [String] a copy of the text, in UTF-8
      def text
        @data.get_pointer(0).read_bytes(@data.get(:size_t, FFI::Pointer.size)).force_encoding(Encoding::UTF_8)
      end

      def pointer = @data.get_pointer(0)

      def double = @data.get_double(0)

      def number = @data.get(:size_t, 0)

      def integer = @data.get_int64(0)

      def bool = @data.get_uint8(0) == 1
    end
  end
end
