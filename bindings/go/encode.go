package khufu

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// encode returns a value's JSON text as encoding/json writes it, with two exceptions.
// Floats always have a fraction or an exponent: 1.0 instead of 1, which is an integer in
// Python. And text that is not UTF-8 is an error, instead of being replaced. A
// [json.RawMessage] is used unchanged.
func encode(value any) (string, error) {
	if raw, ok := value.(json.RawMessage); ok && raw != nil {
		return unsafe.String(unsafe.SliceData(raw), len(raw)), nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // escapes would take more bytes of the cookie
	if err := encoder.Encode(value); err != nil {
		return "", &Error{Status: ErrJSON, Detail: fmt.Sprintf("a value of type %T has no JSON form", value), Cause: err}
	}
	c := correction{text: bytes.TrimSuffix(text.Bytes(), []byte("\n"))}
	c.value(reflect.ValueOf(value))
	if c.notUTF8 {
		return "", &Error{Status: ErrUTF8, Detail: "a string in the value is not valid UTF-8"}
	}
	return c.corrected(), nil
}

// encodeFor does the same as encode, for the value of a key, which an error names.
func encodeFor(key string, value any) (string, error) {
	text, err := encode(value)
	var detailed *Error
	if errors.As(err, &detailed) {
		detailed.Detail = fmt.Sprintf("cannot set the key %q: %s", key, detailed.Detail)
	}
	return text, err
}

// namingKey returns an error of encoding a map that names a key whose value has an error, or
// the error itself.
func namingKey(values any, err error) error {
	v := reflect.ValueOf(values)
	if v.Kind() != reflect.Map || v.Type().Key().Kind() != reflect.String {
		return err
	}
	for entries := v.MapRange(); entries.Next(); {
		if _, err := encodeFor(entries.Key().String(), entries.Value().Interface()); err != nil {
			return err
		}
	}
	return err
}

// A correction walks through a value and through the JSON text that encoding/json has
// written for it, in parallel, and adds the missing fractions.
type correction struct {
	text    []byte
	at      int    // the position in text
	done    []byte // the corrected text for text[:copied]
	copied  int
	notUTF8 bool // a string in the value is not valid UTF-8
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

func (c *correction) corrected() string {
	if c.copied > 0 {
		c.text = append(c.done, c.text[c.copied:]...)
	}
	return unsafe.String(unsafe.SliceData(c.text), len(c.text))
}

// value walks through one value and its text. If v is not valid, only the text is known,
// for example because the value's own MarshalJSON method has written it.
func (c *correction) value(v reflect.Value) {
	text := false // true if the value's MarshalText method has written the text
settle:
	for v.IsValid() {
		switch {
		case implements(v, marshaler):
			v = reflect.Value{}
		case implements(v, textMarshaler):
			v, text = reflect.Value{}, true
		case v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface:
			v = v.Elem()
		default:
			break settle
		}
	}
	switch begin := c.at; c.text[c.at] {
	case '{':
		c.object(v)
	case '[':
		c.array(v)
	case '"':
		c.skipString()
		if text { // encoding/json writes this escape for invalid bytes, but keeps a real U+FFFD as it is
			c.notUTF8 = c.notUTF8 || bytes.Contains(c.text[begin:c.at], []byte(`\ufffd`))
		} else if v.Kind() == reflect.String {
			c.notUTF8 = c.notUTF8 || !utf8.ValidString(v.String())
		}
	default:
		c.literal(v)
	}
}

func (c *correction) object(v reflect.Value) {
	member := func(string) reflect.Value { return reflect.Value{} }
	switch v.Kind() {
	case reflect.Struct:
		member = structMember(v)
	case reflect.Map:
		member = c.mapMember(v)
	}
	for c.at++; c.text[c.at] != '}'; {
		name := c.quoted()
		c.at++ // the colon
		c.value(member(name))
		c.comma()
	}
	c.at++
}

func (c *correction) array(v reflect.Value) {
	known := v.Kind() == reflect.Slice || v.Kind() == reflect.Array
	c.at++
	for i := 0; c.text[c.at] != ']'; i++ {
		var element reflect.Value
		if known {
			element = v.Index(i)
		}
		c.value(element)
		c.comma()
	}
	c.at++
}

func (c *correction) literal(v reflect.Value) {
	begin := c.at
	for c.at < len(c.text) && !strings.ContainsRune(",]}", rune(c.text[c.at])) {
		c.at++
	}
	if v.CanFloat() && !bytes.ContainsAny(c.text[begin:c.at], ".e") {
		c.done = append(append(c.done, c.text[c.copied:c.at]...), ".0"...)
		c.copied = c.at
	}
}

// quoted reads the string at this position, such as the name of an object's member.
func (c *correction) quoted() (name string) {
	begin := c.at
	c.skipString()
	if raw := c.text[begin+1 : c.at-1]; bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	json.Unmarshal(c.text[begin:c.at], &name)
	return name
}

func (c *correction) skipString() {
	for c.at++; c.text[c.at] != '"'; c.at++ {
		if c.text[c.at] == '\\' {
			c.at++
		}
	}
	c.at++
}

func (c *correction) comma() {
	if c.text[c.at] == ',' {
		c.at++
	}
}

// mapMember returns a function that finds a map's value by the name of its key in the JSON text.
func (c *correction) mapMember(v reflect.Value) func(name string) reflect.Value {
	values := make(map[string]reflect.Value, v.Len())
	for entries := v.MapRange(); entries.Next(); {
		name := keyName(entries.Key())
		c.notUTF8 = c.notUTF8 || !utf8.ValidString(name)
		values[name] = entries.Value()
	}
	return func(name string) reflect.Value { return values[name] }
}

func keyName(key reflect.Value) string {
	switch {
	case key.Kind() == reflect.String:
		return key.String()
	case key.Type().Implements(textMarshaler):
		if key.Kind() == reflect.Pointer && key.IsNil() {
			return ""
		}
		name, _ := key.Interface().(encoding.TextMarshaler).MarshalText()
		return string(name)
	case key.CanInt():
		return strconv.FormatInt(key.Int(), 10)
	}
	return strconv.FormatUint(key.Uint(), 10)
}

// implements reports whether encoding/json uses these methods for a value: its own, or
// those of a pointer to it if it is addressable.
func implements(v reflect.Value, methods reflect.Type) bool {
	t := v.Type()
	return t.Implements(methods) || v.CanAddr() && t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(methods)
}
