# frozen_string_literal: true

# Flash messages, which a later page shows. The queue `q` is the list under the key `_f_` + q.

module Khufu
  class Session
    # Adds a message to a queue.
    # @param message [Object] any value that `[]=` accepts
    # @param queue [String, Symbol]
    # @param allow_duplicate [Boolean] false: skip the message if an equal one is in the queue
    # @raise [TypeError] if the queue's key holds a value that is not a list
    # @return [self]
    def flash(message, queue = "", allow_duplicate: true)
      queue = Text.of(queue)
      allow_duplicate = allow_duplicate ? true : false
      if message.is_a?(String)
        text = Text.utf8(message)
        check(Native.khufu_session_flash_string(handle, text, text.bytesize, queue, queue.bytesize, allow_duplicate))
      else
        json = generate("_f_#{queue}", message)
        check(Native.khufu_session_flash(handle, json, json.bytesize, queue, queue.bytesize, allow_duplicate))
      end
      self
    end

    # Empties a queue.
    # @return [Array<Object>] the queue's messages, the oldest first
    def pop_flash(queue = "")
      queue = Text.of(queue)
      check(Native.khufu_session_pop_flash(handle, queue, queue.bytesize, @output.data, @output.size))
      Value.parse(@output.text)
    end

    # Reads a queue without emptying it.
    # @return [Array<Object>] the queue's messages, the oldest first
    def peek_flash(queue = "")
      queue = Text.of(queue)
      check(Native.khufu_session_peek_flash(handle, queue, queue.bytesize, @output.data, @output.size))
      Value.parse(@output.text)
    end
  end
end
