# frozen_string_literal: true

# Messages for the next page: a queue `q` is the list under the key `_f_` + q.

module Khufu
  class Session
    # Leaves a message for the next page, in a queue.
    # @param message [Object] a value as for `[]=`
    # @param queue [String, Symbol]
    # @param allow_duplicate [Boolean] whether it is added though an equal message is in the queue
    # @raise [TypeError] if the queue's key holds something that is not a list
    # @return [self]
    def flash(message, queue = "", allow_duplicate: true)
      queue = Text.of(queue)
      allow_duplicate = allow_duplicate ? true : false
      if message.is_a?(String)
        text = Text.utf8(message)
        check(Native.khufu_session_flash_string(handle, text, text.bytesize, queue, queue.bytesize, allow_duplicate))
      else
        json = Value.generate(message)
        check(Native.khufu_session_flash(handle, json, json.bytesize, queue, queue.bytesize, allow_duplicate))
      end
      self
    end

    # @return [Array<Object>] the queue's messages, the oldest first; the queue is empty then
    def pop_flash(queue = "")
      queue = Text.of(queue)
      check(Native.khufu_session_pop_flash(handle, queue, queue.bytesize, @output.data, @output.size))
      Value.parse(@output.text)
    end

    # @return [Array<Object>] the queue's messages, which stay there
    def peek_flash(queue = "")
      queue = Text.of(queue)
      check(Native.khufu_session_peek_flash(handle, queue, queue.bytesize, @output.data, @output.size))
      Value.parse(@output.text)
    end
  end
end
