package khufu

// #include <khufu.h>
import "C"

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime"
)

// Get reads the value of a key as a T; see [Session.Get].
func Get[T any](session *Session, key string) (T, error) {
	var value T
	err := session.Get(key, &value)
	return value, err
}

// Get reads the value of a key into what value points to, as [json.Unmarshal] does:
// null changes nothing, and into an any a number is read as a float64. A key that is
// not there is [ErrNotFound], a value that does not fit is [ErrType].
//
// NaN and the infinities, which Python writes and JSON does not have, are read into a
// float64; where another value holds one, that is ErrType.
func (s *Session) Get(key string, value any) error {
	if err := s.getScalar(key, value); err == nil || errors.Is(err, ErrNotFound) {
		return err
	}
	text, err := s.GetJSON(key)
	if err != nil {
		return err
	}
	return unmarshal(text, value)
}

// getScalar reads into the commonest types without encoding/json.
func (s *Session) getScalar(key string, value any) error {
	switch value := value.(type) {
	case *string:
		return assign(value, s.GetString, key)
	case *bool:
		return assign(value, s.GetBool, key)
	case *int64:
		return assign(value, s.GetInt64, key)
	case *float64:
		return assign(value, s.GetFloat64, key)
	case *int:
		return assign(value, s.getInt, key)
	}
	return ErrType
}

func assign[T any](target *T, get func(key string) (T, error), key string) error {
	if target == nil {
		return ErrArgument
	}
	value, err := get(key)
	if err == nil {
		*target = value
	}
	return err
}

// GetString reads a string. One that is not Unicode, as Python's may be, is [ErrType].
func (s *Session) GetString(key string) (string, error) {
	defer runtime.KeepAlive(s)
	var text *C.char
	var length C.size_t
	status := C.khufu_session_get_string(s.use(), chars(key), size(key), &text, &length)
	return copied(text, length), s.check(status)
}

// GetInt64 reads an integer: [ErrRange] if it is too large, [ErrType] if it was written
// with a fraction or an exponent.
func (s *Session) GetInt64(key string) (int64, error) {
	defer runtime.KeepAlive(s)
	var value C.int64_t
	status := C.khufu_session_get_int64(s.use(), chars(key), size(key), &value)
	return int64(value), s.check(status)
}

func (s *Session) getInt(key string) (int, error) {
	value, err := s.GetInt64(key)
	if int64(int(value)) != value {
		return 0, ErrRange
	}
	return int(value), err
}

// GetFloat64 reads any number, NaN and the infinities included; one that is too large
// is [ErrRange].
func (s *Session) GetFloat64(key string) (float64, error) {
	defer runtime.KeepAlive(s)
	var value C.double
	status := C.khufu_session_get_double(s.use(), chars(key), size(key), &value)
	return float64(value), s.check(status)
}

// GetBool reads true or false.
func (s *Session) GetBool(key string) (bool, error) {
	defer runtime.KeepAlive(s)
	var value C.bool
	status := C.khufu_session_get_bool(s.use(), chars(key), size(key), &value)
	return bool(value), s.check(status)
}

// GetJSON gives a value as the JSON text that it is in the session.
func (s *Session) GetJSON(key string) (json.RawMessage, error) {
	defer runtime.KeepAlive(s)
	var text *C.char
	var length C.size_t
	status := C.khufu_session_get(s.use(), chars(key), size(key), &text, &length)
	return copiedBytes(text, length), s.check(status)
}

// Contains says whether a key is there.
func (s *Session) Contains(key string) bool {
	defer runtime.KeepAlive(s)
	var found C.bool
	C.khufu_session_contains(s.use(), chars(key), size(key), &found)
	return bool(found)
}

// Len is the number of keys.
func (s *Session) Len() int {
	defer runtime.KeepAlive(s)
	return int(C.khufu_session_length(s.use()))
}

// All are the keys and their values as JSON text, in the session's order; the session
// must not be changed meanwhile. NaN and the infinities show as null.
func (s *Session) All() iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		var cursor C.size_t
		for {
			var value json.RawMessage
			key, ok := s.next(&cursor, &value)
			if !ok || !yield(key, value) {
				return
			}
		}
	}
}

// Keys are the keys, in the session's order; the session must not be changed meanwhile.
func (s *Session) Keys() iter.Seq[string] {
	return func(yield func(string) bool) {
		var cursor C.size_t
		for {
			key, ok := s.next(&cursor, nil)
			if !ok || !yield(key) {
				return
			}
		}
	}
}

func (s *Session) next(cursor *C.size_t, value *json.RawMessage) (string, bool) {
	defer runtime.KeepAlive(s)
	var key, text *C.char
	var keyLength, length C.size_t
	if C.khufu_session_next(s.use(), cursor, &key, &keyLength, &text, &length) != C.KHUFU_OK {
		return "", false
	}
	if value != nil {
		*value = copiedBytes(text, length)
	}
	return copied(key, keyLength), true
}

// ToJSON gives the whole session as the text of a JSON object. NaN and the infinities
// show as null.
func (s *Session) ToJSON() (json.RawMessage, error) {
	defer runtime.KeepAlive(s)
	var text *C.char
	var length C.size_t
	status := C.khufu_session_to_json(s.use(), &text, &length)
	return copiedBytes(text, length), s.check(status)
}

func unmarshal(text json.RawMessage, value any) error {
	err := json.Unmarshal(text, value)
	if err == nil {
		return nil
	}
	var unusable *json.InvalidUnmarshalError
	if errors.As(err, &unusable) {
		return &Error{Status: ErrArgument, Detail: err.Error(), Cause: err}
	}
	return &Error{Status: ErrType, Detail: fmt.Sprintf("the value does not fit into a %T", value), Cause: err}
}
