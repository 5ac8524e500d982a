# frozen_string_literal: true

module Khufu
  # Options while they are collected for a factory. {Factory#initialize} describes them.
  # @api private
  class Options
    # Options that can have several values.
    LISTS = %i[previous_secret previous_secret_hex].freeze
    # Options that can be custom objects, and the methods that those must have.
    METHODS = { store: %i[load save touch remove], serializer: %i[loads dumps] }.freeze
    # The methods of a custom store that keeps subjects. A store has all of them or none.
    SUBJECT_METHODS = %i[list unlist members].freeze
    private_constant :LISTS, :METHODS, :SUBJECT_METHODS

    # Yields new options and frees them after the block.
    # @return [Object] the block's result
    def self.open
      native = Native::OptionsHandle.new(Native.khufu_options_new)
      yield new(native)
    ensure
      native&.free
    end

    def initialize(native)
      @native = native
      @custom = false
    end

    # Sets the options of an INI file's section whose names begin with a prefix.
    def load(text, section, prefix)
      text, section, prefix = [text, section, prefix].map { |each| Text.of(each || "", ArgumentError) }
      arguments = [text, section, prefix].flat_map { |each| [each, each.bytesize] }
      check(Native.khufu_options_load(@native, *arguments))
    end

    # Sets options that were given as keywords.
    def set_all(options, accept)
      options.each { |name, value| custom?(name, value) ? set_custom(name, value) : set_unless_empty("", name, value) }
      formats(accept).each do |format, each|
        formats(each).each { |name, value| set_unless_empty("accept.#{format}.", name, value) }
      end
    end

    # @return [Native::FactoryHandle]
    def factory
      Native.uninterrupted do
        output = Native::Output.new
        check(Native.khufu_factory_new(@native, output.data))
        Native::FactoryHandle.new(output.pointer)
      end
    end

    # Returns the module whose functions open and commit sessions. For cookies these functions keep Ruby's lock, because
    # releasing it would take longer than opening a cookie.
    def calls
      return Native::CallingBack if @custom

      option("type") == "store" ? Native::Waiting : Native
    end

    # @return [Float] the option `store_timeout`
    def store_timeout = Float(option("store_timeout"))

    # @return [Boolean] true if the sessions are in the memory of this process
    def memory? = calls == Native::Waiting && option("store").start_with?("memory:")

    private

    # @return [String] the value of an option that has a default
    def option(name)
      output = Native::Output.new
      check(Native.khufu_options_get(@native, name, name.bytesize, output.data, output.size))
      output.text
    end

    def formats(options)
      return options if options.is_a?(Hash)

      raise OptionError, "option `accept`: must be a Hash of Hashes, not #{options.class}"
    end

    def custom?(name, value)
      METHODS.key?(name) && [String, Symbol, NilClass, Array].none? { |type| type === value }
    end

    def set_custom(name, object)
      refuse_incomplete(name, object)
      callbacks = Native::Callbacks
      table = if name == :serializer then callbacks::SERIALIZER
              else object.respond_to?(:members) ? callbacks::SUBJECT_STORE : callbacks::STORE
              end
      user_data = callbacks.keep(object)
      status = Native.public_send(:"khufu_options_set_#{name}", @native, table, user_data)
      callbacks.release(user_data) unless status == Native::OK
      check(status)
      @custom = true
    end

    def refuse_incomplete(name, object)
      needed = METHODS.fetch(name)
      needed += SUBJECT_METHODS if name == :store && SUBJECT_METHODS.any? { |method| object.respond_to?(method) }
      missing = needed.reject { |method| object.respond_to?(method) }
      raise OptionError, "option `#{name}`: the object lacks the methods #{missing.join(', ')}" unless missing.empty?
    end

    # A list that is nil has no values.
    def set_unless_empty(prefix, name, value)
      set("#{prefix}#{name}", value) unless value.nil? && LISTS.include?(name.to_sym)
    end

    def set(name, value)
      return value.each { |each| set(name, each) } if value.is_a?(Array)

      value = Text.of_option("option `#{name}`", value)
      check(Native.khufu_options_set(@native, name, name.bytesize, value, value.bytesize))
    end

    def check(status)
      raise Error.for(status, Native.khufu_options_error(@native)) unless status == Native::OK
    end
  end
end
