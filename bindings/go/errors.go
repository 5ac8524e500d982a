package khufu

// #include <khufu.h>
import "C"

import "errors"

// ErrClosed says that the session or the factory was closed before.
var ErrClosed = errors.New("khufu: the session or factory is closed")

// ErrVersion says that the libkhufu that was loaded is not of the ABI that this
// package was compiled for.
var ErrVersion = errors.New("khufu: the wrong version of libkhufu was loaded")

// A Status is a kind of failure, to be found with [errors.Is]. Its numbers are those
// of khufu.h.
type Status int32

const (
	ErrNotFound    Status = C.KHUFU_NOT_FOUND       // there is no such key
	ErrArgument    Status = C.KHUFU_ERR_ARGUMENT    // an argument that cannot be used, such as a time that is none
	ErrUTF8        Status = C.KHUFU_ERR_UTF8        // a key or text that is not UTF-8
	ErrJSON        Status = C.KHUFU_ERR_JSON        // a value that JSON cannot hold or that nests too deeply; for Update, one that is not an object
	ErrType        Status = C.KHUFU_ERR_TYPE        // the value in the session is of another type
	ErrRange       Status = C.KHUFU_ERR_RANGE       // a number that its type cannot hold
	ErrTooLarge    Status = C.KHUFU_ERR_TOO_LARGE   // the session does not fit into a cookie
	ErrOption      Status = C.KHUFU_ERR_OPTION      // an option's name or value
	ErrUnsupported Status = C.KHUFU_ERR_UNSUPPORTED // committing would overwrite a session that could not be represented
	ErrRandom      Status = C.KHUFU_ERR_RANDOM      // the system's random generator failed
	ErrInternal    Status = C.KHUFU_ERR_INTERNAL    // a bug in khufu
	ErrStore       Status = C.KHUFU_ERR_STORE       // the store failed, or took longer than it may
	ErrConflict    Status = C.KHUFU_ERR_CONFLICT    // other requests kept changing the session until the time was up: commit again; if it stays, open anew
	ErrGone        Status = C.KHUFU_ERR_GONE        // another request has ended the session or given it a new id: send no cookie
)

// Error is the general description of this kind of failure.
func (s Status) Error() string {
	return "khufu: " + C.GoString(C.khufu_status_message(C.int32_t(s)))
}

// An Error is a call that failed: of which kind, and the explanation. It is an error
// of its Status, and of its Cause if it has one.
type Error struct {
	Status Status
	Detail string // names what was wrong and what is allowed; never a secret
	Cause  error  // what led to it: an error of encoding/json (which may hold the value), of the context, or of your own store or serializer; or nil
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Status.Error()
	}
	return "khufu: " + e.Detail
}

// notFound is one for all, since to look for a key that is not there is common.
var notFound = &Error{Status: ErrNotFound}

// Unwrap gives the Status and the Cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Status}
	}
	return []error{e.Status, e.Cause}
}
