# frozen_string_literal: true

module Khufu
  module Native
    # Memory that C writes an output to: a text's place and length, or a single value.
    #
    # What it points to is borrowed, so it is read (copied) before the next call.
    class Output
      # @return [FFI::Pointer] where the text's place, or the single value, is written
      attr_reader :data
      # @return [FFI::Pointer] where the text's length in bytes is written
      attr_reader :size

      def initialize
        @data = FFI::MemoryPointer.new(:pointer, 2)
        @size = @data + FFI::Pointer.size
      end

      # @return [String] the text, UTF-8
      def text
        @data.get_pointer(0).read_bytes(@data.get(:size_t, FFI::Pointer.size)).force_encoding(Encoding::UTF_8)
      end

      def pointer = @data.get_pointer(0)

      def double = @data.get_double(0)

      def number = @data.get(:size_t, 0)

      def bool = @data.get_uint8(0) == 1
    end
  end
end
