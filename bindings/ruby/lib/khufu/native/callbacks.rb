# frozen_string_literal: true

module Khufu
  module Native
    # The callbacks with which the library calls custom stores and serializers.
    #
    # All custom stores and serializers share the same callbacks. The user data of a callback is the number under which
    # {keep} has registered the object.
    module Callbacks
      OBJECTS = {}
      STATUSES = { ok: OK, conflict: ERR_CONFLICT, gone: ERR_GONE }.freeze
      private_constant :OBJECTS, :STATUSES

      # Keeps an object alive until the library calls {release}.
      # @return [FFI::Pointer] the user data, which the library passes to each callback
      def self.keep(object)
        holder = [object]
        OBJECTS[holder.object_id] = holder
        FFI::Pointer.new(holder.object_id)
      end

      def self.release(user_data) = OBJECTS.delete(user_data.address)

      # @return [Integer] the number of objects that the library uses
      def self.kept = OBJECTS.length

      def self.callback(*arguments, otherwise: ERR_STORE)
        FFI::Function.new(:int32, [:pointer, *arguments]) do |user_data, *given|
          CallingBack.request(-> { yield(*OBJECTS.fetch(user_data.address), *given) }) || otherwise
        end
      end
      private_class_method :callback

      def self.text(pointer, size) = pointer.read_bytes(size).force_encoding(Encoding::UTF_8)

      def self.bytes(pointer, size) = size.zero? ? +"" : pointer.read_bytes(size)

      def self.lifetime(seconds) = seconds.negative? ? nil : seconds

      RELEASE = FFI::Function.new(:void, %i[pointer]) { |user_data| release(user_data) }

      LOAD = callback(:pointer, :size_t, :pointer, :pointer) do |store, key, key_size, sink, generation|
        record, number = store.load(text(key, key_size))
        next NOT_FOUND unless record

        generation.put_uint64(0, number)
        Native.khufu_sink_write(sink, record, record.bytesize)
      end

      SAVE = callback(:pointer, :size_t, :uint64, :uint64, :pointer, :size_t, :double) do |store, key, key_size, expected, generation, record, size, ttl|
        STATUSES.fetch(store.save(text(key, key_size), expected, generation, bytes(record, size), lifetime(ttl)))
      end

      TOUCH = callback(:pointer, :size_t, :uint64, :pointer, :size_t, :double) do |store, key, key_size, generation, record, size, ttl|
        STATUSES.fetch(store.touch(text(key, key_size), generation, bytes(record, size), lifetime(ttl)))
      end

      REMOVE = callback(:pointer, :size_t, :uint64) do |store, key, key_size, expected|
        STATUSES.fetch(store.remove(text(key, key_size), expected))
      end

      LIST = callback(:pointer, :size_t, :pointer, :size_t, :double) do |store, subject, subject_size, key, key_size, ttl|
        store.list(text(subject, subject_size), text(key, key_size), lifetime(ttl))
        OK
      end

      UNLIST = callback(:pointer, :size_t, :pointer, :size_t) do |store, subject, subject_size, key, key_size|
        store.unlist(text(subject, subject_size), text(key, key_size))
        OK
      end

      MEMBERS = callback(:pointer, :size_t, :pointer) do |store, subject, subject_size, sink|
        keys = store.members(text(subject, subject_size)).to_a.join
        Native.khufu_sink_write(sink, keys, keys.bytesize)
      end

      LOADS = callback(:pointer, :size_t, :pointer, otherwise: ERR_TYPE) do |serializer, payload, size, sink|
        json = serializer.loads(bytes(payload, size))
        Native.khufu_sink_write(sink, json, json.bytesize)
      end

      DUMPS = callback(:pointer, :size_t, :pointer, otherwise: ERR_TYPE) do |serializer, json, size, sink|
        payload = serializer.dumps(text(json, size))
        Native.khufu_sink_write(sink, payload, payload.bytesize)
      end

      # Makes a `khufu_store_vtable` or `khufu_serializer_vtable`: the size of the table, followed by its callbacks.
      def self.table(*callbacks)
        memory = FFI::MemoryPointer.new(:pointer, callbacks.length + 1)
        memory.put(:size_t, 0, memory.size)
        memory.put_array_of_pointer(FFI::Pointer.size, callbacks)
      end
      private_class_method :table

      STORE = table(LOAD, SAVE, TOUCH, REMOVE, nil, nil, nil, RELEASE)
      SUBJECT_STORE = table(LOAD, SAVE, TOUCH, REMOVE, LIST, UNLIST, MEMBERS, RELEASE)
      SERIALIZER = table(LOADS, DUMPS, RELEASE)
    end
  end
end
