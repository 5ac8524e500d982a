package khufu

// #include <khufu.h>
import "C"

import "encoding/json"

// Set sets the value of a key. The value may be anything that encoding/json can marshal.
// A [json.RawMessage] is stored unchanged.
//
// A float is still a float in Python, even 1.0, and at any depth within a value. Set fails
// with
//   - [ErrRange] if the value is a float that is not finite, or holds an integer of more
//     than 4,300 digits, which Python does not read,
//   - [ErrJSON] if the value cannot be marshaled, for example because a float within it is
//     not finite,
//   - [ErrUTF8] if the key or a string in the value is not valid UTF-8.
func (s *Session) Set(key string, value any) error {
	switch value.(type) {
	case nil, string, bool, int, int64, float64:
		return s.setScalar(key, value)
	}
	text, err := encodeFor(key, value)
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.checkChange(C.khufu_session_set(s.handleForChange(), cString(key), cLength(key),
		cString(text), cLength(text)))
}

// setScalar sets a value of one of the most common types without encoding/json.
func (s *Session) setScalar(key string, value any) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var status C.khufu_status
	switch value := value.(type) {
	case nil:
		status = C.khufu_session_set_null(s.handleForChange(), cString(key), cLength(key))
	case string:
		status = C.khufu_session_set_string(s.handleForChange(), cString(key), cLength(key), cString(value), cLength(value))
	case bool:
		status = C.khufu_session_set_bool(s.handleForChange(), cString(key), cLength(key), C.bool(value))
	case int:
		status = C.khufu_session_set_int64(s.handleForChange(), cString(key), cLength(key), C.int64_t(value))
	case int64:
		status = C.khufu_session_set_int64(s.handleForChange(), cString(key), cLength(key), C.int64_t(value))
	case float64:
		status = C.khufu_session_set_double(s.handleForChange(), cString(key), cLength(key), C.double(value))
	}
	return s.checkChange(status)
}

// SetDefault sets the value of a key if the session does not have the key. It then reads
// the key's value, old or new, into the variable that stored points to, unless stored is
// nil.
func (s *Session) SetDefault(key string, value, stored any) error {
	text, err := encodeFor(key, value)
	if err != nil {
		return err
	}
	result, err := s.setDefault(key, text)
	if err != nil || stored == nil {
		return err
	}
	return unmarshal(result, stored)
}

func (s *Session) setDefault(key, text string) (json.RawMessage, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var result *C.char
	var length C.size_t
	status := C.khufu_session_setdefault(s.handleForChange(), cString(key), cLength(key),
		cString(text), cLength(text), &result, &length)
	return copiedBytes(result, length), s.checkChange(status)
}

// Update sets a key for each member of values, a map, a struct or another value that
// encoding/json marshals to an object. On an error it sets none of them.
func (s *Session) Update(values any) error {
	text, err := encode(values)
	if err != nil {
		return namingKey(values, err)
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.checkChange(C.khufu_session_update(s.handleForChange(), cString(text), cLength(text)))
}

// Append adds an element to the end of the list at a key, which becomes a list if the
// session does not have it. Elements that several requests append to a session in a store
// at the same time all stay. If the key holds something other than a list, the error is
// [ErrType]. For the element, the errors are those of [Session.Set].
func (s *Session) Append(key string, element any) error {
	text, err := encodeFor(key, element)
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.checkChange(C.khufu_session_append(s.handleForChange(), cString(key), cLength(key),
		cString(text), cLength(text)))
}

// Increment adds a number, which may be negative, to the integer at a key, and returns the
// sum. A key that the session does not have counts as 0. What several requests add to a
// session in a store at the same time adds up. If the key holds something other than an
// integer, the error is [ErrType]. If the sum does not fit into 64 bits, it is [ErrRange].
func (s *Session) Increment(key string, by int64) (int64, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var sum C.int64_t
	status := C.khufu_session_increment(s.handleForChange(), cString(key), cLength(key), C.int64_t(by), &sum)
	return int64(sum), s.checkChange(status)
}

// Delete removes a key. It is not an error if the session does not have the key.
func (s *Session) Delete(key string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	status := C.khufu_session_delete(s.handleForChange(), cString(key), cLength(key))
	if status == C.KHUFU_NOT_FOUND {
		return nil
	}
	return s.checkChange(status)
}

// Pop reads the value of a key as [Session.Get] does, and removes the key. If the value
// does not fit, the key stays.
func (s *Session) Pop(key string, value any, options ...GetOption) error {
	if err := s.Get(key, value, options...); err != nil {
		return err
	}
	return s.Delete(key)
}

// Clear removes all keys.
func (s *Session) Clear() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.checkChange(C.khufu_session_clear(s.handleForChange()))
}
