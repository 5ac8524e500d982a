package khufu

// #include <khufu.h>
import "C"

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
)

// A GetOption changes how [Session.Get] reads a value.
type GetOption func(*json.Decoder)

// UseNumber reads a number into an any as a [json.Number], which keeps all its digits, instead
// of a float64. It applies at any depth within the value.
func UseNumber() GetOption { return (*json.Decoder).UseNumber }

// Get returns the value of a key as a T. It reads the value as [Session.Get] does.
func Get[T any](session *Session, key string, options ...GetOption) (T, error) {
	var value T
	err := session.Get(key, &value, options...)
	return value, err
}

// Get reads the value of a key into the variable that value points to, as
// [json.Unmarshal] does: null leaves the variable unchanged, and a number is read into an
// any as a float64, unless there is the option [UseNumber]. If the session does not have the
// key, the error is [ErrNotFound]. If the value does not fit into the variable, it is
// [ErrType].
//
// Python can store NaN and infinities, which JSON does not have. Get reads such a value
// into a float64. If it is within another value, the error is ErrType.
func (s *Session) Get(key string, value any, options ...GetOption) error {
	if err := s.getScalar(key, value); err == nil || errors.Is(err, ErrNotFound) {
		return err
	}
	text, err := s.GetJSON(key)
	if err != nil {
		return err
	}
	return unmarshal(text, value, options...)
}

// getScalar reads values of the most common types without encoding/json.
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

// GetString returns the value of a key that holds a string. If the string has a lone
// surrogate, which Python can store and UTF-8 cannot, the error is [ErrType].
func (s *Session) GetString(key string) (string, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var text *C.char
	var length C.size_t
	status := C.khufu_session_get_string(s.handleForCall(), cString(key), cLength(key), &text, &length)
	return copied(text, length), s.check(status)
}

// GetInt64 returns the value of a key that holds an integer. If the integer does not fit
// into 64 bits, the error is [ErrRange]. If it was written with a fraction or an exponent,
// the error is [ErrType].
func (s *Session) GetInt64(key string) (int64, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var value C.int64_t
	status := C.khufu_session_get_int64(s.handleForCall(), cString(key), cLength(key), &value)
	return int64(value), s.check(status)
}

func (s *Session) getInt(key string) (int, error) {
	value, err := s.GetInt64(key)
	if int64(int(value)) != value {
		return 0, ErrRange
	}
	return int(value), err
}

// GetFloat64 returns the value of a key that holds a number, which may be NaN or an
// infinity. If the number is too large, the error is [ErrRange].
func (s *Session) GetFloat64(key string) (float64, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var value C.double
	status := C.khufu_session_get_double(s.handleForCall(), cString(key), cLength(key), &value)
	return float64(value), s.check(status)
}

// GetBool returns the value of a key that holds true or false.
func (s *Session) GetBool(key string) (bool, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var value C.bool
	status := C.khufu_session_get_bool(s.handleForCall(), cString(key), cLength(key), &value)
	return bool(value), s.check(status)
}

// GetJSON returns the value of a key as its JSON text in the session.
func (s *Session) GetJSON(key string) (json.RawMessage, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var text *C.char
	var length C.size_t
	status := C.khufu_session_get(s.handleForCall(), cString(key), cLength(key), &text, &length)
	return copiedBytes(text, length), s.check(status)
}

// Contains reports whether the session has a key.
func (s *Session) Contains(key string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var found C.bool
	C.khufu_session_contains(s.handleForCall(), cString(key), cLength(key), &found)
	return bool(found)
}

// Len returns the number of keys.
func (s *Session) Len() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return int(C.khufu_session_length(s.handleForCall()))
}

// All returns an iterator over the keys and their values as JSON text, in the session's
// order. The loop must not change the session. NaN and infinities are given as null.
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

// Keys returns an iterator over the keys, in the session's order. The loop must not change
// the session.
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
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var key, text *C.char
	var keyLength, length C.size_t
	if C.khufu_session_next(s.handleForCall(), cursor, &key, &keyLength, &text, &length) != C.KHUFU_OK {
		return "", false
	}
	if value != nil {
		*value = copiedBytes(text, length)
	}
	return copied(key, keyLength), true
}

// ToJSON returns the whole session as the text of a JSON object. NaN and infinities are
// given as null.
func (s *Session) ToJSON() (json.RawMessage, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var text *C.char
	var length C.size_t
	status := C.khufu_session_to_json(s.handleForCall(), &text, &length)
	return copiedBytes(text, length), s.check(status)
}

func unmarshal(text json.RawMessage, value any, options ...GetOption) error {
	err := decode(text, value, options)
	if err == nil {
		return nil
	}
	var unusable *json.InvalidUnmarshalError
	if errors.As(err, &unusable) {
		return &Error{Status: ErrArgument, Detail: err.Error(), Cause: err}
	}
	return &Error{Status: ErrType, Detail: fmt.Sprintf("the value does not fit into a %T", value), Cause: err}
}

func decode(text json.RawMessage, value any, options []GetOption) error {
	if len(options) == 0 {
		return json.Unmarshal(text, value)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	for _, option := range options {
		option(decoder)
	}
	return decoder.Decode(value)
}
