package khufu

// #include <khufu.h>
import "C"

import "runtime"

// Set puts a value under a key: anything that encoding/json can marshal. A
// [json.RawMessage] is taken as it is.
//
// A float stays a float in Python, 1.0 too, and at any depth of a value. One that is not
// finite is [ErrRange], within another value [ErrJSON]; an integer of more than 4,300 digits,
// which Python does not read, is [ErrRange]. A value that cannot be marshaled is [ErrJSON].
// Text that is not UTF-8, at any depth, is [ErrUTF8].
func (s *Session) Set(key string, value any) error {
	defer runtime.KeepAlive(s)
	switch value := value.(type) {
	case nil:
		return s.check(C.khufu_session_set_null(s.use(), chars(key), size(key)))
	case string:
		return s.check(C.khufu_session_set_string(s.use(), chars(key), size(key), chars(value), size(value)))
	case bool:
		return s.check(C.khufu_session_set_bool(s.use(), chars(key), size(key), C.bool(value)))
	case int:
		return s.check(C.khufu_session_set_int64(s.use(), chars(key), size(key), C.int64_t(value)))
	case int64:
		return s.check(C.khufu_session_set_int64(s.use(), chars(key), size(key), C.int64_t(value)))
	case float64:
		return s.check(C.khufu_session_set_double(s.use(), chars(key), size(key), C.double(value)))
	}
	text, err := encode(value)
	if err != nil {
		return err
	}
	return s.check(C.khufu_session_set(s.use(), chars(key), size(key), chars(text), size(text)))
}

// SetDefault sets a key that is not there yet, and reads its value, old or new, into
// what stored points to: into a variable of value's type, or nil to read nothing.
func (s *Session) SetDefault(key string, value, stored any) error {
	defer runtime.KeepAlive(s)
	text, err := encode(value)
	if err != nil {
		return err
	}
	var result *C.char
	var length C.size_t
	status := C.khufu_session_setdefault(s.use(), chars(key), size(key), chars(text), size(text), &result, &length)
	if status != C.KHUFU_OK || stored == nil {
		return s.check(status)
	}
	return unmarshal(copiedBytes(result, length), stored)
}

// Update sets every member of a value that encoding/json marshals to an object, such
// as a map or a struct: all of them or, after an error, none.
func (s *Session) Update(values any) error {
	defer runtime.KeepAlive(s)
	text, err := encode(values)
	if err != nil {
		return err
	}
	return s.check(C.khufu_session_update(s.use(), chars(text), size(text)))
}

// Delete removes a key. One that is not there is no error.
func (s *Session) Delete(key string) error {
	defer runtime.KeepAlive(s)
	status := C.khufu_session_delete(s.use(), chars(key), size(key))
	if status == C.KHUFU_NOT_FOUND {
		return nil
	}
	return s.check(status)
}

// Pop reads the value of a key as Get does, and removes it. A value that does not fit
// stays.
func (s *Session) Pop(key string, value any) error {
	if err := s.Get(key, value); err != nil {
		return err
	}
	return s.Delete(key)
}

// Clear removes all keys.
func (s *Session) Clear() error {
	defer runtime.KeepAlive(s)
	return s.check(C.khufu_session_clear(s.use()))
}
