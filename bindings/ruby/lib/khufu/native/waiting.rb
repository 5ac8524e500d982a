# frozen_string_literal: true

module Khufu
  module Native
    # The functions of {WAITING}, for the library's own stores. While one of them waits, other threads run.
    module Waiting
      WAITING.each_key { |name| define_singleton_method(name, &Native.method(:"waiting_#{name}")) }

      # Raises an error. The library's own stores leave no cause to add to it.
      def self.fail(error) = raise(error)
    end
  end
end
