package khufu

// #cgo pkg-config: --static khufu
// #include <khufu.h>
//
// // Functions that open, commit, make a cookie's value or free may call a custom store or
// // serializer in Go, so they are not in this list.
//
// #cgo noescape khufu_options_set
// #cgo nocallback khufu_options_set
// #cgo noescape khufu_options_load
// #cgo nocallback khufu_options_load
// #cgo noescape khufu_generate_secret
// #cgo nocallback khufu_generate_secret
// #cgo noescape khufu_sink_write
// #cgo nocallback khufu_sink_write
// #cgo noescape khufu_session_id
// #cgo nocallback khufu_session_id
// #cgo noescape khufu_session_set_subject
// #cgo nocallback khufu_session_set_subject
// #cgo noescape khufu_session_subject
// #cgo nocallback khufu_session_subject
// #cgo noescape khufu_session_set_attribute
// #cgo nocallback khufu_session_set_attribute
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
// #cgo noescape khufu_session_append
// #cgo nocallback khufu_session_append
// #cgo noescape khufu_session_increment
// #cgo nocallback khufu_session_increment
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
// #cgo noescape khufu_subject_next
// #cgo nocallback khufu_subject_next
// #cgo noescape khufu_session_headers
// #cgo nocallback khufu_session_headers
import "C"

import (
	"bytes"
	"strings"
	"unsafe"
)

// duringCall is called in the middle of every call into the core. Tests set it to run the
// garbage collector, which must not free what the call uses.
var duringCall = func() {}

// cString returns a pointer to the bytes of a string, which are not copied. It is valid
// for one call into the core, together with cLength.
func cString(text string) *C.char {
	if text == "" {
		return nil
	}
	return (*C.char)(unsafe.Pointer(unsafe.StringData(text)))
}

// cLength returns the length of a string, the argument that follows its cString.
func cLength(text string) C.size_t {
	return C.size_t(len(text))
}

// copied copies text that belongs to the core and is valid until the next call only.
func copied(data *C.char, length C.size_t) string {
	return strings.Clone(unsafe.String((*byte)(unsafe.Pointer(data)), int(length)))
}

// copiedBytes copies bytes that belong to the core and are valid until the next call only.
func copiedBytes(data *C.char, length C.size_t) []byte {
	return bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(data)), int(length)))
}
