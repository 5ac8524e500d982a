# frozen_string_literal: true

module Khufu
  module Native
    # The functions of {WAITING}, for factories with a custom store or serializer.
    #
    # The library's function runs in a fiber of its own. When it calls back, that fiber pauses, and the custom method
    # runs in the caller's fiber. If the method ends by an exception, a `throw` or the end of the thread, this does not
    # unwind the library's stack frames. Instead, the library is told that the callback failed, its function returns,
    # and only then does the exception or `throw` continue in the caller.
    module CallingBack
      INTERRUPTIBLE = { Object => :immediate }.freeze
      FAILURE = :__khufu_failure
      private_constant :INTERRUPTIBLE, :FAILURE

      WAITING.each_key do |name|
        function = Native.method(:"waiting_#{name}")
        define_singleton_method(name) { |*arguments| call(function, arguments) }
      end

      class << self
        # Raises an error. Its cause is the error that a callback raised, if any.
        # @param error [Error]
        def fail(error)
          cause = Thread.current[FAILURE] if error.is_a?(StoreError) || error.is_a?(UnsupportedError)
          Thread.current[FAILURE] = nil
          cause ? raise(error, cause: cause) : raise(error)
        end

        # Runs a callback's work in the caller's fiber.
        #
        # @param work [Proc] calls the custom method and returns a status
        # @return [Integer, nil] the status, or nil if the work failed
        def request(work)
          Fiber.yield(work)
        rescue Exception # rubocop:disable Lint/RescueException -- nothing may unwind the library's stack frames
          nil
        end

        private

        def call(function, arguments)
          Thread.current[FAILURE] = nil
          Native.uninterrupted do
            fiber = Fiber.new(blocking: true) { function.call(*arguments) }
            result = fiber.resume
            result = fiber.resume(status(result)) while fiber.alive?
            result
          ensure
            fiber.resume while fiber&.alive? # after a throw or an exception, this callback and all later ones fail
          end
        end

        def status(work)
          Thread.handle_interrupt(INTERRUPTIBLE) { work.call }
        rescue StandardError => error
          Thread.current[FAILURE] = error
          nil
        end
      end
    end
  end
end
