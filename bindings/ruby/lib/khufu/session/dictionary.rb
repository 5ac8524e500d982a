# frozen_string_literal: true

# The Hash that a session feels like.

module Khufu
  class Session
    include Enumerable

    MISSING = Object.new.freeze
    private_constant :MISSING

    # @return [Object, nil] the value, nil where there is none
    def [](key) = fetch(key, nil)

    # @param key [String, Symbol]
    # @param default [Object] what is returned where there is no value; a block is called with the key instead
    # @raise [::KeyError] where there is neither value, default nor block
    # @raise [TypeError] if the value holds NaN or an infinity in its depth
    def fetch(key, default = MISSING)
      value = read(Text.of(key))
      return value unless MISSING.equal?(value)
      return yield(key) if block_given?
      return default unless MISSING.equal?(default)

      raise KeyError.new("key not found: #{key.inspect}", receiver: self, key: key)
    end

    # @return [Object, nil] what stands at the end of a path of keys and indices, nil where it breaks off
    # @raise [TypeError] if the path leads through a text or a number, or an index is no Integer
    def dig(key, *path)
      [self[key]].dig(0, *path.map { |step| step.is_a?(Symbol) ? step.name : step })
    rescue ::TypeError, ::RangeError => error
      raise TypeError, error.message
    end

    # @param keys [Array<String, Symbol>]
    # @return [Array<Object, nil>] the values, nil for each that there is not
    def values_at(*keys) = keys.map { |key| self[key] }

    # @raise [::KeyError] if one is not there and no block is given
    # @return [Array<Object>]
    def fetch_values(*keys, &block) = keys.map { |key| fetch(key, &block) }

    # @return [Hash{String => Object}] those of the keys that are there
    def slice(*keys) = keys.map { |key| Text.of(key) }.select { |key| key?(key) }.to_h { |key| [key, self[key]] }

    # @return [Boolean]
    def key?(key)
      key = Text.of(key)
      check(Native.khufu_session_contains(handle, key, key.bytesize, @output.data))
      @output.bool
    end
    alias has_key? key?
    alias include? key?
    alias member? key?

    # @return [Integer] the number of keys
    def length = Native.khufu_session_length(handle)
    alias size length

    # @return [Boolean]
    def empty? = length.zero?

    # @return [Array<String>] in the order in which they were first set
    def keys = each_json.map(&:first)

    # @return [Array<Object>]
    def values = map(&:last)

    # Goes over the session as it is at the beginning: the block may change it.
    #
    # @yieldparam key [String]
    # @yieldparam value [Object]
    # @return [self, Enumerator]
    def each_pair
      return enum_for(:each_pair) { length } unless block_given?

      each_json { |key, json| yield [key, json == "null" ? self[key] : Value.parse(json)] }
    end
    alias each each_pair

    # @return [Hash{String => Object}] a Hash of its own, which may be changed without effect on the session
    alias to_hash to_h

    # Goes over the session as {#each_pair} does, with the values' JSON text as it stands in the session
    # (1.10 is 1.10), but with null for NaN and infinities.
    #
    # @yieldparam key [String]
    # @yieldparam json [String]
    # @return [self, Enumerator]
    def each_json(&block)
      return enum_for(:each_json) { length } unless block

      cursor = FFI::MemoryPointer.new(:size_t)
      key = Native::Output.new
      pairs = []
      while check(Native.khufu_session_next(handle, cursor, key.data, key.size, @output.data, @output.size))
        pairs << [key.text, @output.text]
      end
      pairs.each(&block)
      self
    end

    # @return [String, nil] the value's JSON text as it stands in the session, nil where there is none
    # @raise [TypeError] if the value is or holds NaN or an infinity
    def json(key)
      key = Text.of(key)
      @output.text if check(Native.khufu_session_get(handle, key, key.bytesize, @output.data, @output.size))
    end

    # @return [String] the whole session as JSON text, with null for NaN and infinities
    def to_json(*)
      check(Native.khufu_session_to_json(handle, @output.data, @output.size))
      @output.text
    end

    # @param key [String, Symbol]
    # @param value [nil, Boolean, Integer, Float, String, Symbol, Array, Hash]
    # @raise [JSONError, RangeError, EncodingError] if JSON does not have the value; nothing is changed then
    def []=(key, value)
      return store_json(key, Value.generate(value)) unless value.is_a?(String)

      key = Text.of(key)
      text = Text.utf8(value)
      check(Native.khufu_session_set_string(handle, key, key.bytesize, text, text.bytesize))
    end

    # Sets a value as `[]=` does.
    # @return [Object] the value
    def store(key, value) = self[key] = value

    # Sets a value by its JSON text, which is kept as it is: so a decimal fraction keeps all its digits.
    # @raise [JSONError] if it is not JSON text
    # @return [String] the text
    def store_json(key, json)
      key = Text.of(key)
      text = Text.of(json)
      check(Native.khufu_session_set(handle, key, key.bytesize, text, text.bytesize))
      json
    end

    # Sets the value unless the key is there.
    # @return [Object] the value that is there then
    def setdefault(key, default = nil)
      key = Text.of(key)
      json = Value.generate(default)
      take(key, Native.khufu_session_setdefault(handle, key, key.bytesize, json, json.bytesize, @output.data, @output.size))
    end

    # Sets all of a Hash's values, or none of them if one is refused.
    # @param other [Hash, Session]
    # @raise [JSONError, RangeError, EncodingError] as {#[]=}; nothing is changed then
    # @return [self]
    def update(other)
      raise JSONError, "a Hash was expected, not #{other.class}" unless other.respond_to?(:to_hash)

      json = Value.generate(other.to_hash)
      check(Native.khufu_session_update(handle, json, json.bytesize))
      self
    end
    alias merge! update

    # @return [Object, nil] the value that was there; else what the block returned, which is called with the key
    # @raise [TypeError] as {#fetch}; the key stays then
    def delete(key)
      name = Text.of(key)
      value = read(name)
      return (yield key if block_given?) if MISSING.equal?(value)

      check(Native.khufu_session_delete(handle, name, name.bytesize))
      value
    end

    # @return [self]
    def clear
      check(Native.khufu_session_clear(handle))
      self
    end

    private

    def read(key)
      take(key, Native.khufu_session_get(handle, key, key.bytesize, @output.data, @output.size))
    end

    # The value that a call has put out, {MISSING} where there is none.
    def take(key, status)
      return not_finite(key) if status == Native::ERR_TYPE

      check(status) ? Value.parse(@output.text) : MISSING
    end

    def not_finite(key)
      failure = failure(Native::ERR_TYPE)
      return @output.double if Native.khufu_session_get_double(handle, key, key.bytesize, @output.data) == Native::OK

      raise failure
    end
  end
end
