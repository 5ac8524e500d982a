package khufu

// #include <khufu.h>
import "C"

import "errors"

// ErrClosed is the error of a call on a session or factory that is closed.
var ErrClosed = errors.New("khufu: the session or factory is closed")

// ErrSent is the error of a change to a session of [FromContext] after the head of the response
// was sent. The change could not be saved, because saving it may need a cookie.
var ErrSent = errors.New("khufu: the response was already sent: change the session before you write the response")

// ErrVersion is the error of NewFactory if the loaded libkhufu has another ABI version
// than the one that this package was compiled for.
var ErrVersion = errors.New("khufu: libkhufu has another ABI version than this program: install the matching one")

// A Status is a kind of failure. Test for it with [errors.Is]. Its numbers are those of
// khufu_status in khufu.h.
type Status int32

const (
	// ErrNotFound means that the session has no such key, or the subject no such session.
	ErrNotFound Status = C.KHUFU_NOT_FOUND
	// ErrArgument means that an argument is invalid, such as a time out of range.
	ErrArgument Status = C.KHUFU_ERR_ARGUMENT
	// ErrUTF8 means that a key or a string is not valid UTF-8.
	ErrUTF8 Status = C.KHUFU_ERR_UTF8
	// ErrJSON means that a value has no JSON form or is nested too deeply, or that the value for Update
	// is not an object.
	ErrJSON Status = C.KHUFU_ERR_JSON
	// ErrType means that the value in the session has another type.
	ErrType Status = C.KHUFU_ERR_TYPE
	// ErrRange means that a number is out of range.
	ErrRange Status = C.KHUFU_ERR_RANGE
	// ErrTooLarge means that the session does not fit into a cookie.
	ErrTooLarge Status = C.KHUFU_ERR_TOO_LARGE
	// ErrOption means that the name or value of an option is wrong.
	ErrOption Status = C.KHUFU_ERR_OPTION
	// ErrUnsupported means that Commit would replace a valid session that could not be read here.
	ErrUnsupported Status = C.KHUFU_ERR_UNSUPPORTED
	// ErrRandom means that the system's random generator failed.
	ErrRandom Status = C.KHUFU_ERR_RANDOM
	// ErrInternal means that there is a bug in khufu.
	ErrInternal Status = C.KHUFU_ERR_INTERNAL
	// ErrStore means that the store failed or took too long.
	ErrStore Status = C.KHUFU_ERR_STORE
	// ErrConflict means that other requests kept changing this session until the timeout, or gave a key a
	// value of another type. Commit again; if that fails again, open the session again.
	ErrConflict Status = C.KHUFU_ERR_CONFLICT
	// ErrGone means that another request has ended this session or given it a new id. Send no cookie.
	ErrGone Status = C.KHUFU_ERR_GONE
	// ErrKey means that the library in Options.Library keeps one of the session's keys for itself.
	ErrKey Status = C.KHUFU_ERR_KEY
)

// errPending is the answer of a custom store that was not asked yet. No caller gets it.
const errPending Status = C.KHUFU_ERR_PENDING

// Error describes this kind of failure in a few words.
func (s Status) Error() string {
	return "khufu: " + C.GoString(C.khufu_status_message(C.int32_t(s)))
}

// An Error is the error of a call that failed. [errors.Is] and [errors.As] also find its
// Status and its Cause.
type Error struct {
	Status Status
	Detail string // the explanation; it never holds a secret
	// Cause is the underlying error or nil. It comes from encoding/json (and may show the
	// value), from the context, or from a custom store or serializer.
	Cause error
}

// Error returns the explanation, or the description of the Status if there is none.
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Status.Error()
	}
	return "khufu: " + e.Detail
}

// notFound is shared by all calls, because looking up a missing key is common.
var notFound = &Error{Status: ErrNotFound}

// Unwrap returns the Status and, if there is one, the Cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Status}
	}
	return []error{e.Status, e.Cause}
}
