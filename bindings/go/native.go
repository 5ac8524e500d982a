package khufu

// #cgo pkg-config: --static khufu
// #include <khufu.h>
//
// // What opens, commits or frees may call a store or a serializer of the caller's own,
// // in Go: it is not in this list.
//
// #cgo noescape khufu_options_set
// #cgo nocallback khufu_options_set
// #cgo noescape khufu_generate_secret
// #cgo nocallback khufu_generate_secret
// #cgo noescape khufu_sink_write
// #cgo nocallback khufu_sink_write
// #cgo noescape khufu_session_id
// #cgo nocallback khufu_session_id
// #cgo noescape khufu_session_set_subject
// #cgo nocallback khufu_session_set_subject
// #cgo noescape khufu_session_get
// #cgo nocallback khufu_session_get
// #cgo noescape khufu_session_get_string
// #cgo nocallback khufu_session_get_string
// #cgo noescape khufu_session_get_int64
// #cgo nocallback khufu_session_get_int64
// #cgo noescape khufu_session_get_double
// #cgo nocallback khufu_session_get_double
// #cgo noescape khufu_session_get_bool
// #cgo nocallback khufu_session_get_bool
// #cgo noescape khufu_session_contains
// #cgo nocallback khufu_session_contains
// #cgo noescape khufu_session_next
// #cgo nocallback khufu_session_next
// #cgo noescape khufu_session_to_json
// #cgo nocallback khufu_session_to_json
// #cgo noescape khufu_session_set
// #cgo nocallback khufu_session_set
// #cgo noescape khufu_session_set_string
// #cgo nocallback khufu_session_set_string
// #cgo noescape khufu_session_set_int64
// #cgo nocallback khufu_session_set_int64
// #cgo noescape khufu_session_set_double
// #cgo nocallback khufu_session_set_double
// #cgo noescape khufu_session_set_bool
// #cgo nocallback khufu_session_set_bool
// #cgo noescape khufu_session_set_null
// #cgo nocallback khufu_session_set_null
// #cgo noescape khufu_session_setdefault
// #cgo nocallback khufu_session_setdefault
// #cgo noescape khufu_session_update
// #cgo nocallback khufu_session_update
// #cgo noescape khufu_session_delete
// #cgo nocallback khufu_session_delete
// #cgo noescape khufu_session_flash
// #cgo nocallback khufu_session_flash
// #cgo noescape khufu_session_flash_string
// #cgo nocallback khufu_session_flash_string
// #cgo noescape khufu_session_pop_flash
// #cgo nocallback khufu_session_pop_flash
// #cgo noescape khufu_session_peek_flash
// #cgo nocallback khufu_session_peek_flash
// #cgo noescape khufu_session_csrf_token
// #cgo nocallback khufu_session_csrf_token
// #cgo noescape khufu_session_new_csrf_token
// #cgo nocallback khufu_session_new_csrf_token
// #cgo noescape khufu_session_check_csrf_token
// #cgo nocallback khufu_session_check_csrf_token
// #cgo noescape khufu_session_set_cookie
// #cgo nocallback khufu_session_set_cookie
import "C"

import (
	"bytes"
	"strings"
	"unsafe"
)

// collect is what the tests have happen in the middle of every call: a garbage
// collection, which must not free what the call uses.
var collect = func() {}

// Text goes to C as the string's own bytes, for the length of one call: chars and
// size are its two arguments.

func chars(text string) *C.char {
	if text == "" {
		return nil
	}
	return (*C.char)(unsafe.Pointer(unsafe.StringData(text)))
}

func size(text string) C.size_t {
	return C.size_t(len(text))
}

// copied takes a copy of what C lends.
func copied(data *C.char, length C.size_t) string {
	return strings.Clone(unsafe.String((*byte)(unsafe.Pointer(data)), int(length)))
}

func copiedBytes(data *C.char, length C.size_t) []byte {
	return bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(data)), int(length)))
}
