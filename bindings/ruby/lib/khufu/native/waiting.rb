# frozen_string_literal: true

module Khufu
  module Native
    # Calls during which other threads run, and which may call a store or a serializer of the program's own.
    #
    # What another thread raises in this one within a callback ends that.
    module Waiting
      FAILURE = :__khufu_failure
      private_constant :FAILURE

      WAITING.each_key do |name|
        function = Native.method(:"waiting_#{name}")
        define_singleton_method(name) { |*arguments| around { function.call(*arguments) } }
      end

      class << self
        # Raises an error, with what a callback raised as its cause.
        # @param error [Error]
        def fail(error)
          cause = failure if error.is_a?(StoreError) || error.is_a?(UnsupportedError)
          cause ? raise(error, cause: cause) : raise(error)
        end

        # Runs a callback's work; whatever leaves it, be it an exception or a `throw`, ends here.
        #
        # @param otherwise [Integer] the status then
        # @return [Integer] the status that the work came to
        def stop(otherwise)
          status = otherwise
          failure = nil
          begin
            status = yield
          rescue Exception => failure # rubocop:disable Lint/RescueException
            status = otherwise
          end
        ensure
          Thread.current[FAILURE] = failure
          return status # rubocop:disable Lint/EnsureReturn
        end

        private

        def failure = Thread.current[FAILURE]

        # An exit or an interrupt goes on after the call.
        def around
          Thread.current[FAILURE] = nil
          status = yield
          raise failure unless failure.nil? || failure.is_a?(StandardError)

          status
        end
      end
    end
  end
end
