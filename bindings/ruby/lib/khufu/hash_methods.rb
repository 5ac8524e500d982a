# frozen_string_literal: true

module Khufu
  # Methods of a Hash, for an object that has `delete`, `length` and `to_h`.
  #
  # {#merge}, {#select} and the like return a Hash and leave the session as it is, as those of a Hash do. Any other
  # method of a Hash raises NoMethodError, which says what to use instead.
  module HashMethods
    # @!method merge(*others)
    #   @return [Hash{String => Object}] a copy of the session with the pairs of other Hashes; {Session#update} changes
    #     the session
    # @!method select
    #   @return [Hash{String => Object}] the pairs for which the block is true
    # @!method filter
    #   @return [Hash{String => Object}] the pairs for which the block is true
    # @!method reject
    #   @return [Hash{String => Object}] the pairs for which the block is false
    # @!method except(*keys)
    #   @return [Hash{String => Object}] the pairs without some keys
    # @!method compact
    #   @return [Hash{String => Object}] the pairs whose value is not nil
    # @!method transform_values
    #   @return [Hash{String => Object}] the keys with the block's results for their values
    %i[merge select filter reject except compact transform_values].each do |name|
      define_method(name) { |*arguments, &block| to_h.public_send(name, *arguments, &block) }
    end

    # Removes each pair for which the block is true.
    # @yieldparam key [String]
    # @yieldparam value [Object]
    # @return [self, Enumerator]
    def delete_if
      return enum_for(:delete_if) { length } unless block_given?

      to_h.each { |key, value| delete(key) if yield(key, value) }
      self
    end

    # Removes each pair for which the block is false.
    # @yieldparam key [String]
    # @yieldparam value [Object]
    # @return [self, Enumerator]
    def keep_if
      return enum_for(:keep_if) { length } unless block_given?

      delete_if { |key, value| !yield(key, value) }
    end

    private

    def method_missing(name, *)
      return super unless Hash.method_defined?(name)

      raise NoMethodError.new("a session has no method #{name}: call it on to_h, and write with update", name)
    end
  end
end
