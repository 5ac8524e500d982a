# frozen_string_literal: true

module Khufu
  # Converts times and time limits to the numbers that the library takes.
  # @api private
  module Seconds
    # The number that means the clock's time or the option `store_timeout`.
    DEFAULT = -1.0
    private_constant :DEFAULT

    class << self
      # @param time [Time, Numeric, nil] nil: the clock's time
      # @return [Float] seconds since the Unix epoch
      # @raise [ArgumentError]
      def at(time)
        # Time#to_f would round to about a microsecond; Time#to_r is exact.
        number(time.is_a?(Time) ? time.to_r : time, "now")
      end

      # @param limit [Numeric, nil] nil: the option `store_timeout`
      # @return [Float]
      # @raise [ArgumentError]
      def within(limit) = number(limit, "timeout")

      private

      def number(value, name)
        return DEFAULT if value.nil?
        unless value.is_a?(Numeric) && value.real?
          raise ArgumentError, "#{name}: expected a number of seconds, not #{value.class}"
        end
        raise ArgumentError, "#{name}: must not be negative" if value.negative?

        value.to_f
      end
    end
  end
end
