package khufu

// #include <khufu.h>
import "C"

import "encoding/json"

// A FlashOption changes how [Session.Flash] adds a message.
type FlashOption func(*flash)

type flash struct {
	queue          string
	allowDuplicate bool
}

// Queue makes Flash add the message to the queue with this name.
func Queue(name string) FlashOption {
	return func(f *flash) { f.queue = name }
}

// NoDuplicate makes Flash skip a message that is equal to one in the queue.
func NoDuplicate() FlashOption {
	return func(f *flash) { f.allowDuplicate = false }
}

// Flash adds a message to a queue: the default queue "", unless [Queue] names another. The
// message may be any value that encoding/json can marshal. A later page pops the message
// and shows it.
//
// If the queue's key holds a value that is not a list, the error of Flash, PopFlash and
// PeekFlash is [ErrType].
func (s *Session) Flash(message any, options ...FlashOption) error {
	f := flash{allowDuplicate: true}
	for _, option := range options {
		option(&f)
	}
	if text, ok := message.(string); ok {
		return s.flashString(text, f)
	}
	text, err := encode(message)
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.checkChange(C.khufu_session_flash(s.handleForChange(), cString(text), cLength(text),
		cString(f.queue), cLength(f.queue), C.bool(f.allowDuplicate)))
}

func (s *Session) flashString(text string, f flash) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.checkChange(C.khufu_session_flash_string(s.handleForChange(), cString(text), cLength(text),
		cString(f.queue), cLength(f.queue), C.bool(f.allowDuplicate)))
}

// PopFlash reads the messages of a queue, oldest first, into the slice that messages
// points to, and empties the queue. If the messages do not fit into the slice's type, they
// stay in the queue.
func (s *Session) PopFlash(queue string, messages any) error {
	if err := s.PeekFlash(queue, messages); err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var text *C.char
	var length C.size_t
	return s.checkChange(C.khufu_session_pop_flash(s.handleForChange(), cString(queue), cLength(queue), &text, &length))
}

// Messages pops the messages of queues, oldest first, for a page of html/template:
// {{range .Session.Messages}}. Without an argument, they are those of the default queue.
func (s *Session) Messages(queues ...string) ([]any, error) {
	if len(queues) == 0 {
		queues = []string{""}
	}
	var messages []any
	for _, queue := range queues {
		var popped []any
		if err := s.PopFlash(queue, &popped); err != nil {
			return messages, err
		}
		messages = append(messages, popped...)
	}
	return messages, nil
}

// PeekFlash reads the messages of a queue, oldest first, into the slice that messages
// points to, and leaves them in the queue.
func (s *Session) PeekFlash(queue string, messages any) error {
	text, err := s.peekFlash(queue)
	if err != nil {
		return err
	}
	return unmarshal(text, messages)
}

func (s *Session) peekFlash(queue string) (json.RawMessage, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var text *C.char
	var length C.size_t
	status := C.khufu_session_peek_flash(s.handleForCall(), cString(queue), cLength(queue), &text, &length)
	return copiedBytes(text, length), s.check(status)
}
