package gorilla

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	khufu "github.com/khufu/khufu/bindings/go"
)

// The keys of the default flash messages, for gorilla and for Pyramid.
const flashes, pyramidFlashes = "_flash", "_f_"

// decode returns the values of a session as gorilla has them. It leaves out flash messages that
// are not a list, because gorilla would panic, and a value that has the key of gorilla's.
func decode(text json.RawMessage) (values map[string]any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		return nil, err
	}
	for key, value := range values {
		values[key] = withIntegers(value)
	}
	messages, isList := values[pyramidFlashes].([]any)
	delete(values, pyramidFlashes)
	delete(values, flashes)
	if isList {
		values[flashes] = messages
	}
	return values, nil
}

// withIntegers returns a value with each number as an int64 or a float64, if it fits.
func withIntegers(value any) any {
	switch value := value.(type) {
	case json.Number:
		if strings.ContainsAny(value.String(), ".eE") {
			if number, err := value.Float64(); err == nil {
				return number
			}
		} else if number, err := value.Int64(); err == nil {
			return number
		}
	case []any:
		for i := range value {
			value[i] = withIntegers(value[i])
		}
	case map[string]any:
		for key := range value {
			value[key] = withIntegers(value[key])
		}
	}
	return value
}

// clone returns a copy of a value that does not change with it. A nil list or map becomes an
// empty one, so that it comes back as a list or a map.
func clone(value any) any {
	switch value := value.(type) {
	case []any:
		copied := make([]any, len(value))
		for i := range value {
			copied[i] = clone(value[i])
		}
		return copied
	case map[string]any:
		copied := make(map[string]any, len(value))
		for key := range value {
			copied[key] = clone(value[key])
		}
		return copied
	}
	return value
}

// check returns an error if a value cannot be saved, or would come back as one of another type.
func check(value any, depth int) error {
	const deepest = 500
	if depth > deepest {
		return fmt.Errorf("lists and maps are nested more than %d deep", deepest)
	}
	switch value := value.(type) {
	case nil, bool, int, int8, int16, int32, int64, uint8, uint16, uint32:
		return nil
	case uint:
		return check(uint64(value), depth)
	case uint64:
		if value > math.MaxInt64 {
			return fmt.Errorf("the integer %d does not fit into an int64", value)
		}
		return nil
	case float64:
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return fmt.Errorf("a float must be finite, not %v", value)
		}
		return nil
	case json.Number:
		const longest = 4300 // Python reads no longer one
		if _, err := json.Marshal(value); err != nil || value == "" || len(value) > longest {
			return errors.New("a json.Number must be a number of at most 4,300 characters")
		}
		return nil
	case string:
		if !utf8.ValidString(value) {
			return errors.New("a string must be valid UTF-8")
		}
		return nil
	case []any:
		for _, element := range value {
			if err := check(element, depth+1); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		for key, element := range value {
			if err := check(key, depth); err != nil {
				return err
			}
			if err := check(element, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("a %T would not come back as one: save a string, a number, a []any or a map[string]any", value)
}

// checkAll checks the keys and values of a session. The error names the key.
func checkAll(values map[any]any) error {
	for key, value := range values {
		name, isString := key.(string)
		if !isString {
			return refused(key, fmt.Errorf("a key must be a string, not a %T", key))
		}
		if name == pyramidFlashes {
			return refused(key, fmt.Errorf("use AddFlash, or the key %s", flashes))
		}
		err := check(name, 0)
		if err == nil {
			err = check(value, 0)
		}
		if _, isList := value.([]any); err == nil && name == flashes && !isList {
			err = fmt.Errorf("the flash messages must be a []any, not a %T", value)
		}
		if err != nil {
			return refused(key, err)
		}
	}
	return nil
}

func refused(key any, err error) error {
	return &khufu.Error{Status: khufu.ErrType, Detail: fmt.Sprintf("cannot save the key %v: %v", key, err)}
}
