# frozen_string_literal: true

require "ffi"

module Khufu
  # The functions of `khufu.h`, one per line. A text argument is passed as its bytes and their number, without a copy.
  # @api private
  module Native
    extend FFI::Library

    # The ABI version that this gem needs. It is part of the shared library's name, and {khufu_abi_version} returns it.
    ABI_VERSION = 1

    begin
      path = ENV.fetch("KHUFU_LIBRARY", "")
      included = File.expand_path("libkhufu.so.#{ABI_VERSION}", __dir__) # only in a gem for one platform
      path = included if path.empty? && File.exist?(included)
      ffi_lib(path.empty? ? ["libkhufu.so.#{ABI_VERSION}", "khufu"] : path)
    rescue LoadError => error
      raise LoadError, "khufu's shared library cannot be loaded. Install it where the system looks for libraries, " \
                       "or set KHUFU_LIBRARY to its path. (#{error.message})"
    end

    attach_function :khufu_abi_version, [], :uint32
    attach_function :khufu_version, [], :string

    unless khufu_abi_version == ABI_VERSION
      raise LoadError, "this gem needs khufu's ABI #{ABI_VERSION}, " \
                       "but khufu #{khufu_version} at #{ffi_libraries.first.name} has ABI #{khufu_abi_version}: " \
                       "install the library that matches the gem"
    end

    OK = 0
    NOT_FOUND = 1
    ERR_TYPE = 5
    ERR_STORE = 12
    ERR_CONFLICT = 13
    ERR_GONE = 14
    OPEN_PASSIVE = 1
    COMMIT_EXCEPTION = 1

    attach_function :khufu_status_message, %i[int32], :string
    attach_function :khufu_load_result_name, %i[int32], :string
    attach_function :khufu_generate_secret, %i[pointer size_t], :int32

    attach_function :khufu_options_new, [], :pointer
    attach_function :khufu_options_free, %i[pointer], :void
    attach_function :khufu_options_set, %i[pointer buffer_in size_t buffer_in size_t], :int32
    attach_function :khufu_options_get, %i[pointer buffer_in size_t pointer pointer], :int32
    attach_function :khufu_options_load, [:pointer, *%i[buffer_in size_t] * 3], :int32
    attach_function :khufu_options_set_store, %i[pointer pointer pointer], :int32
    attach_function :khufu_options_set_serializer, %i[pointer pointer pointer], :int32
    attach_function :khufu_options_error, %i[pointer], :string
    attach_function :khufu_sink_write, %i[pointer buffer_in size_t], :int32

    attach_function :khufu_factory_new, %i[pointer pointer], :int32
    attach_function :khufu_factory_free, %i[pointer], :void

    attach_function :khufu_session_free, %i[pointer], :void

    attach_function :khufu_session_get, %i[pointer buffer_in size_t pointer pointer], :int32
    attach_function :khufu_session_get_double, %i[pointer buffer_in size_t pointer], :int32
    attach_function :khufu_session_contains, %i[pointer buffer_in size_t pointer], :int32
    attach_function :khufu_session_length, %i[pointer], :size_t
    attach_function :khufu_session_next, %i[pointer pointer pointer pointer pointer pointer], :int32
    attach_function :khufu_session_to_json, %i[pointer pointer pointer], :int32

    attach_function :khufu_session_set, %i[pointer buffer_in size_t buffer_in size_t], :int32
    attach_function :khufu_session_set_string, %i[pointer buffer_in size_t buffer_in size_t], :int32
    attach_function :khufu_session_setdefault, %i[pointer buffer_in size_t buffer_in size_t pointer pointer], :int32
    attach_function :khufu_session_update, %i[pointer buffer_in size_t], :int32
    attach_function :khufu_session_append, %i[pointer buffer_in size_t buffer_in size_t], :int32
    attach_function :khufu_session_increment, %i[pointer buffer_in size_t int64 pointer], :int32
    attach_function :khufu_session_delete, %i[pointer buffer_in size_t], :int32
    attach_function :khufu_session_clear, %i[pointer], :int32

    attach_function :khufu_session_flash, %i[pointer buffer_in size_t buffer_in size_t bool], :int32
    attach_function :khufu_session_flash_string, %i[pointer buffer_in size_t buffer_in size_t bool], :int32
    attach_function :khufu_session_pop_flash, %i[pointer buffer_in size_t pointer pointer], :int32
    attach_function :khufu_session_peek_flash, %i[pointer buffer_in size_t pointer pointer], :int32

    attach_function :khufu_session_csrf_token, %i[pointer pointer pointer], :int32
    attach_function :khufu_session_new_csrf_token, %i[pointer pointer pointer], :int32
    attach_function :khufu_session_check_csrf_token, %i[pointer buffer_in size_t pointer], :int32

    attach_function :khufu_session_created, %i[pointer], :double
    attach_function :khufu_session_accessed, %i[pointer], :double
    attach_function :khufu_session_renewed, %i[pointer], :double
    attach_function :khufu_session_is_new, %i[pointer], :bool
    attach_function :khufu_session_is_changed, %i[pointer], :bool
    attach_function :khufu_session_load_result, %i[pointer], :int32
    attach_function :khufu_session_load_format, %i[pointer], :string
    attach_function :khufu_session_error, %i[pointer], :string

    attach_function :khufu_session_mark_changed, %i[pointer], :int32
    attach_function :khufu_session_invalidate, %i[pointer], :int32
    attach_function :khufu_session_id, %i[pointer pointer pointer], :int32
    attach_function :khufu_session_regenerate_id, %i[pointer], :int32
    attach_function :khufu_session_set_subject, %i[pointer buffer_in size_t], :int32
    attach_function :khufu_session_subject, %i[pointer pointer pointer], :int32
    attach_function :khufu_session_set_lifetime, %i[pointer uint64], :int32
    attach_function :khufu_session_set_attribute, %i[pointer buffer_in size_t buffer_in size_t], :int32
    attach_function :khufu_session_headers, %i[pointer pointer pointer], :int32
    attach_function :khufu_session_value, %i[pointer pointer pointer], :int32

    attach_function :khufu_subject_free, %i[pointer], :void
    attach_function :khufu_subject_error, %i[pointer], :string
    attach_function :khufu_subject_next, %i[pointer pointer pointer pointer pointer pointer], :int32

    # The functions that may wait for a store or call a custom one, with the types of their arguments. {Waiting} and
    # {CallingBack} have functions of the same names.
    WAITING = {
      khufu_session_open_with: %i[pointer buffer_in size_t double double uint32 pointer],
      khufu_session_open_value: %i[pointer buffer_in size_t double double uint32 pointer],
      khufu_session_commit_with: %i[pointer uint32 double],
      khufu_subject_open: %i[pointer buffer_in size_t pointer],
      khufu_subject_revoke: %i[pointer buffer_in size_t],
      khufu_subject_revoke_all: %i[pointer buffer_in size_t pointer]
    }.freeze
    WAITING.each do |name, arguments|
      attach_function name, arguments, :int32
      attach_function :"waiting_#{name}", name, arguments, :int32, blocking: true
    end

    # Raises an error. {CallingBack.fail} also adds its cause, which can only come from a custom store or serializer.
    def self.fail(error) = raise(error)

    UNINTERRUPTED = { Object => :never }.freeze
    private_constant :UNINTERRUPTED

    # Runs a block and delays interrupts (Thread#raise and Thread#kill of other threads) until its end, so that no
    # memory is leaked or freed twice.
    def self.uninterrupted(&block) = Thread.handle_interrupt(UNINTERRUPTED, &block)
  end
end
