package khufu

// #include <khufu.h>
import "C"

import (
	"encoding/json"
	"runtime"
)

// A FlashOption changes what [Session.Flash] does.
type FlashOption func(*flash)

type flash struct {
	queue          string
	allowDuplicate bool
}

// Queue adds the message to the queue of that name.
func Queue(name string) FlashOption {
	return func(f *flash) { f.queue = name }
}

// NoDuplicate does not add a message that equals one in the queue.
func NoDuplicate() FlashOption {
	return func(f *flash) { f.allowDuplicate = false }
}

// Flash leaves a message, which may be anything that encoding/json can marshal, in a
// queue: the default one, "", unless [Queue] names another. Whichever page pops it
// shows it.
//
// Where something that is no queue is under the queue's key, this and its sisters are
// [ErrType].
func (s *Session) Flash(message any, options ...FlashOption) error {
	defer runtime.KeepAlive(s)
	f := flash{allowDuplicate: true}
	for _, option := range options {
		option(&f)
	}
	if text, ok := message.(string); ok {
		return s.check(C.khufu_session_flash_string(s.use(), chars(text), size(text),
			chars(f.queue), size(f.queue), C.bool(f.allowDuplicate)))
	}
	text, err := encode(message)
	if err != nil {
		return err
	}
	return s.check(C.khufu_session_flash(s.use(), chars(text), size(text),
		chars(f.queue), size(f.queue), C.bool(f.allowDuplicate)))
}

// PopFlash reads the messages of a queue into the slice that messages points to, oldest
// first, and empties the queue. Messages that do not fit stay.
func (s *Session) PopFlash(queue string, messages any) error {
	defer runtime.KeepAlive(s)
	if err := s.PeekFlash(queue, messages); err != nil {
		return err
	}
	var text *C.char
	var length C.size_t
	return s.check(C.khufu_session_pop_flash(s.use(), chars(queue), size(queue), &text, &length))
}

// PeekFlash reads the messages of a queue into the slice that messages points to, oldest
// first, and leaves them there.
func (s *Session) PeekFlash(queue string, messages any) error {
	defer runtime.KeepAlive(s)
	text, err := s.peekFlash(queue)
	if err != nil {
		return err
	}
	return unmarshal(text, messages)
}

func (s *Session) peekFlash(queue string) (json.RawMessage, error) {
	var text *C.char
	var length C.size_t
	status := C.khufu_session_peek_flash(s.use(), chars(queue), size(queue), &text, &length)
	return copiedBytes(text, length), s.check(status)
}
