package khufu

import (
	"context"
	"time"
)

// A Store keeps sessions in a place of your own. Set it as Options.CustomStore. Several
// goroutines call it at the same time. It must limit its own waiting, because StoreTimeout
// cannot interrupt it. A store that also implements [ContextStore] gets the context that a
// call on a session was given.
//
// A record consists of bytes and a generation, a number that starts at 1. Its key is the
// [Session.ID], 64 hexadecimal digits. The time to live counts from now. It is at least a
// second, or negative if the record never expires. The methods must treat an expired record
// as if it did not exist.
//
// If a method returns an error that its comment does not name, or panics, the call on the
// session fails with [ErrStore], and the error is its Cause. A method must not end its
// goroutine.
//
// A store that also implements [SubjectStore] can find the sessions of a user. Package
// storetest tests a store.
type Store interface {
	// Load returns a record and its generation, or [ErrNotFound].
	Load(key string) (record []byte, generation uint64, err error)
	// Save replaces the record that has the expected generation, in one atomic step. If
	// expected is 0, it saves the record only if there is none. Otherwise it changes nothing
	// and returns [ErrGone] if there is no record, or [ErrConflict] if there is one of
	// another generation.
	Save(key string, expected, generation uint64, record []byte, ttl time.Duration) error
	// Touch replaces the record if it has this generation, and extends its life, in one
	// atomic step. The new record differs only in the time of the session's last use.
	// Otherwise Touch changes nothing and returns [ErrGone] if there is no record, or
	// [ErrConflict] if there is one of another generation. The response then sets no cookie.
	Touch(key string, generation uint64, record []byte, ttl time.Duration) error
	// Remove removes the record if it has the expected generation, in one atomic step. If
	// expected is 0, it removes a record of any generation. Otherwise it changes nothing and
	// returns [ErrGone] if there is no record, or [ErrConflict] if there is one of another
	// generation.
	Remove(key string, expected uint64) error
}

// A ContextStore is a [Store] that waits, for a server for example. A call on a session that
// was given a context uses what WithContext returns, which must be a [SubjectStore] if the
// store is one. It can stop waiting when the context is done, and fail with the context's
// error.
type ContextStore interface {
	Store
	WithContext(ctx context.Context) Store
}

// A SubjectStore is a [Store] that also keeps which records belong to which subject, so
// that [Factory.Subject] works. A subject is named by 64 hexadecimal digits. With any other
// custom store, SetSubject and the methods of a Subject fail with [ErrArgument].
//
// A subject may still list a key whose record is gone, or belongs to another subject by now.
// This does no harm, because the record itself says which subject it belongs to.
type SubjectStore interface {
	Store
	// List notes that a key belongs to a subject. It keeps the note for at least ttl, or
	// forever if ttl is negative. Listing a key again never shortens that time. List is
	// called before the record is saved or touched.
	List(subject, key string, ttl time.Duration) error
	// Unlist removes such a note, if there is one. It is called after the record was removed.
	Unlist(subject, key string) error
	// Members returns the keys that belong to a subject, in any order.
	Members(subject string) (keys []string, err error)
}

// A PayloadSerializer encodes the data of sessions in a format of your own. Set it as
// Options.CustomSerializer. Several goroutines call it at the same time.
//
// If Loads returns an error, the cookie or record is malformed and the session is new. If
// Dumps returns an error, the commit fails with [ErrUnsupported], and the error is its
// Cause. A panic has the same effect as an error. A method must not end its goroutine.
type PayloadSerializer interface {
	// Loads returns the JSON text that a payload stands for. For a cookie, it is the array
	// [renewed, created, state]: two times in seconds since the Unix epoch, and an object.
	// For a record in a store, it is the state alone.
	Loads(payload []byte) (json []byte, err error)
	// Dumps returns the payload that stands for such a JSON text.
	Dumps(json []byte) (payload []byte, err error)
}
