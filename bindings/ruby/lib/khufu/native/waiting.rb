# frozen_string_literal: true

module Khufu
  module Native
    # The functions of {WAITING}. Other threads run while one of them waits for a store.
    module Waiting
      WAITING.each_key { |name| define_singleton_method(name, &Native.method(:"waiting_#{name}")) }

      # As {CallingBack.fail}, for stores that are the library's own.
      def self.fail(error) = raise(error)
    end
  end
end
