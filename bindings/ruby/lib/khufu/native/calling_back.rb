# frozen_string_literal: true

module Khufu
  module Native
    # The functions of {WAITING}, for factories whose store or serializer is the program's own.
    #
    # The function runs in a fiber. When it calls back, that fiber pauses, and the program's method runs in the fiber of
    # the caller. So nothing that leaves the method, be it an exception, a `throw` or the end of the thread, unwinds the
    # library's frames: the function is told that the callback failed, it returns, and only then the caller is left.
    module CallingBack
      INTERRUPTIBLE = { Object => :immediate }.freeze
      FAILURE = :__khufu_failure
      private_constant :INTERRUPTIBLE, :FAILURE

      WAITING.each_key do |name|
        function = Native.method(:"waiting_#{name}")
        define_singleton_method(name) { |*arguments| call(function, arguments) }
      end

      class << self
        # Raises an error, with what a callback raised as its cause.
        # @param error [Error]
        def fail(error)
          cause = Thread.current[FAILURE] if error.is_a?(StoreError) || error.is_a?(UnsupportedError)
          Thread.current[FAILURE] = nil
          cause ? raise(error, cause: cause) : raise(error)
        end

        # Has a callback's work done in the fiber of the caller.
        #
        # @return [Integer, nil] the status that the work came to, nil if it failed
        def request(work)
          Fiber.yield(work)
        rescue Exception # rubocop:disable Lint/RescueException -- nothing may unwind the library's frames
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
            fiber.resume while fiber&.alive? # the method was left: its callback, and any after it, has failed
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
