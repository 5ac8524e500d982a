# frozen_string_literal: true

# The methods that a session has in common with a Hash.

module Khufu
  class Session
    include Enumerable
    include HashMethods

    MISSING = Object.new.freeze
    private_constant :MISSING

    # @param key [String, Symbol]
    # @return [Object, nil] the value, or nil if the session does not have the key
    # @raise [TypeError] if the value is an Array or Hash that holds NaN or an infinity
    def [](key) = fetch(key, nil)

    # @param key [String, Symbol]
    # @param default [Object] the result if the session does not have the key
    # @yieldparam key [String, Symbol] the key; the block's result is used instead of the default
    # @return [Object] the value, the default, or the block's result
    # @raise [::KeyError] if the session does not have the key, and neither a default nor a block is given
    # @raise [TypeError] if the value is an Array or Hash that holds NaN or an infinity
    def fetch(key, default = MISSING)
      value = read(Text.of(key))
      return value unless MISSING.equal?(value)
      return yield(key) if block_given?
      return default unless MISSING.equal?(default)

      raise KeyError.new("key not found: #{key.inspect}", receiver: self, key: key)
    end

    # Follows a path of keys and indices, as Hash#dig does.
    # @return [Object, nil] the value at the end of the path, or nil if a step of the path is missing
    # @raise [TypeError] if the path leads through a string or a number, or an index is not an Integer
    def dig(key, *path)
      [self[key]].dig(0, *path.map { |step| step.is_a?(Symbol) ? step.name : step })
    rescue ::TypeError, ::RangeError => error
      raise TypeError, error.message
    end

    # @param keys [Array<String, Symbol>]
    # @return [Array<Object, nil>] the values, with nil for each missing key
    def values_at(*keys) = keys.map { |key| self[key] }

    # @return [Array<Object>] the values, with the block's result for each missing key
    # @raise [::KeyError] if a key is missing and no block is given
    def fetch_values(*keys, &block) = keys.map { |key| fetch(key, &block) }

    # @return [Hash{String => Object}] those of the keys that the session has, with their values
    def slice(*keys) = keys.map { |key| Text.of(key) }.select { |key| key?(key) }.to_h { |key| [key, self[key]] }

    # @return [Boolean] true if the session has the key
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

    # @return [Array<String>] the keys, in the order in which they were first set
    def keys = each_json.map(&:first)

    # @return [Array<Object>]
    def values = map(&:last)

    # Iterates over the session as it was at the beginning, so the block may change the session.
    #
    # @yieldparam key [String]
    # @yieldparam value [Object]
    # @return [self, Enumerator]
    def each_pair
      return enum_for(:each_pair) { length } unless block_given?

      each_json { |key, json| yield [key, json == "null" ? self[key] : Value.parse(json)] }
    end
    alias each each_pair

    # @return [Hash{String => Object}] a copy; changing it does not change the session
    alias to_hash to_h

    # Iterates over the session as {#each_pair} does, but gives each value as its JSON text in the session (1.10 stays
    # 1.10). NaN and infinities are given as null.
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

    # @return [String, nil] the value's JSON text in the session, or nil if the session does not have the key
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

    # Sets the value of a key.
    # @param key [String, Symbol]
    # @param value [nil, Boolean, Integer, Float, String, Symbol, Array, Hash]
    # @raise [JSONError, RangeError, EncodingError] if the value has no JSON form; the session is then unchanged
    def []=(key, value)
      key = Text.of(key)
      return store_json(key, generate(key, value)) unless value.is_a?(String)

      text = setting(key) { Text.utf8(value) }
      check(Native.khufu_session_set_string(handle, key, key.bytesize, text, text.bytesize))
    end

    # Sets a value as `[]=` does.
    # @return [Object] the value
    def store(key, value) = self[key] = value

    # Sets a value by its JSON text. The text is kept unchanged, so a decimal fraction keeps all its digits.
    # @raise [JSONError] if the text is not JSON
    # @return [String] the text
    def store_json(key, json)
      key = Text.of(key)
      text = Text.of(json)
      check(Native.khufu_session_set(handle, key, key.bytesize, text, text.bytesize))
      json
    end

    # Sets the value of a key if the session does not have the key.
    # @return [Object] the value of the key, old or new
    def setdefault(key, default = nil)
      key = Text.of(key)
      json = generate(key, default)
      take(
        key,
        Native.khufu_session_setdefault(handle, key, key.bytesize, json, json.bytesize, @output.data, @output.size)
      )
    end

    # Sets all values of some Hashes, or none of them if one is refused.
    # @param others [Array<Hash, Session>]
    # @yieldparam key [String] a key that the session already has
    # @yieldparam old [Object] its value in the session
    # @yieldparam new [Object] its value in the Hash; the block's result is set instead
    # @raise [JSONError, RangeError, EncodingError] if a value has no JSON form; the session is then unchanged
    # @return [self]
    def update(*others)
      pairs = others.flat_map { |other| pairs(other) }.to_h
      pairs.each { |key, value| pairs[key] = yield(key, self[key], value) if key?(key) } if block_given?
      json = "{#{pairs.map { |key, value| "#{Value.generate(key)}:#{generate(key, value)}" }.join(',')}}"
      check(Native.khufu_session_update(handle, json, json.bytesize))
      self
    end
    alias merge! update

    # Removes all keys, and sets all values of a Hash.
    # @param other [Hash]
    # @return [self]
    # @raise (see #update)
    def replace(other)
      kept = pairs(other).to_h
      update(kept)
      keys.each { |key| remove(key) unless kept.key?(key) }
      self
    end

    # Adds an element to the end of the list at a key. A key that the session does not have becomes a list. In a store,
    # elements that several requests append at the same time all stay.
    # @param key [String, Symbol]
    # @param value [Object] any value that `[]=` accepts
    # @return [self]
    # @raise [TypeError] if the key holds a value that is not a list
    # @raise [JSONError, RangeError, EncodingError] if the value has no JSON form; the session is then unchanged
    def append(key, value)
      key = Text.of(key)
      json = generate(key, value)
      check(Native.khufu_session_append(handle, key, key.bytesize, json, json.bytesize))
      self
    end

    # Adds to the integer at a key. A key that the session does not have counts as 0. In a store, what several requests
    # add at the same time adds up.
    # @param key [String, Symbol]
    # @param by [Integer] the number to add; negative to subtract
    # @return [Integer] the sum
    # @raise [TypeError] if the key holds a value that is not an integer
    # @raise [RangeError] if a number or the sum does not fit in 64 bits; the session is then unchanged
    # @raise [ArgumentError] if `by` is not an Integer
    def increment(key, by = 1)
      key = Text.of(key)
      raise ArgumentError, "by: expected an Integer, not #{by.class}" unless by.is_a?(Integer)
      raise RangeError, "by: does not fit in 64 bits" if by.bit_length > 63

      check(Native.khufu_session_increment(handle, key, key.bytesize, by, @output.data))
      @output.integer
    end

    # Removes a key.
    # @yieldparam key [String, Symbol] the key, if the session does not have it
    # @return [Object, nil] the removed value; if there was none, the block's result or nil
    # @raise [TypeError] if the value is an Array or Hash that holds NaN or an infinity; the key then stays
    def delete(key)
      name = Text.of(key)
      value = read(name)
      return (yield key if block_given?) if MISSING.equal?(value)

      remove(name)
      value
    end

    # Removes all keys.
    # @return [self]
    def clear
      check(Native.khufu_session_clear(handle))
      self
    end

    private

    def pairs(other)
      raise JSONError, "expected a Hash, not #{other.class}" unless other.respond_to?(:to_hash)

      other.to_hash.map { |key, value| [Text.of(key), value] }
    end

    def generate(key, value) = setting(key) { Value.generate(value) }

    # Names the key in the error of a value that cannot be set.
    def setting(key)
      yield
    rescue JSONError, RangeError, EncodingError => error
      raise error.class, "cannot set the key #{key.inspect}: #{error.message}", cause: error.cause
    end

    def remove(key) = check(Native.khufu_session_delete(handle, key, key.bytesize))

    def read(key)
      take(key, Native.khufu_session_get(handle, key, key.bytesize, @output.data, @output.size))
    end

    # Returns the value in the output of a call, or {MISSING} if there was none.
    def take(key, status)
      return not_finite(key) if status == Native::ERR_TYPE

      check(status) ? Value.parse(@output.text) : MISSING
    end

    # Returns the value of a key if it is NaN or an infinity. If it only holds one, raises the error of the call before.
    def not_finite(key)
      failure = failure(Native::ERR_TYPE)
      return @output.double if Native.khufu_session_get_double(handle, key, key.bytesize, @output.data) == Native::OK

      raise failure
    end
  end
end
