package khufu

import "time"

// A Store keeps sessions where the caller likes, as Options.CustomStore: for how long
// it may be asked to wait is its own matter, StoreTimeout cannot interrupt it. It is
// used by several goroutines at once.
//
// A record is bytes with a generation, a number from 1 on; its key is 64 hexadecimal
// digits, the [Session.ID]. The time to live counts from now and is at least a second;
// if it is negative, the record is kept for ever. A record that has expired is not there.
//
// An error that is none of those named below fails the call of the session with
// [ErrStore], whose Cause it is; so does a panic. A method must not end its goroutine.
//
// A store that is a [SubjectStore], too, keeps which sessions are whose.
type Store interface {
	// Load gives a record and its generation, or [ErrNotFound].
	Load(key string) (record []byte, generation uint64, err error)
	// Save puts a record in the place of the one that has the generation expected, or,
	// if that is 0, where there is none: in one step. Otherwise it changes nothing and
	// gives [ErrGone] if there is no record, or [ErrConflict] if there is another.
	Save(key string, expected, generation uint64, record []byte, ttl time.Duration) error
	// Touch puts a record that says of a later use in the place of the one of the same
	// generation, and extends its life: in one step. Otherwise it changes nothing and
	// gives [ErrGone] if there is no record, or [ErrConflict] if there is another: the
	// response then gets no cookie.
	Touch(key string, generation uint64, record []byte, ttl time.Duration) error
	// Remove removes the record that has the generation expected, or, if that is 0, the
	// record whatever it has: in one step. Otherwise it changes nothing and gives
	// [ErrGone] if there is no record, or [ErrConflict] if there is another.
	Remove(key string, expected uint64) error
}

// A SubjectStore is a [Store] that also keeps which records belong to which subject, so
// that [Factory.Subject] works. A subject is named by 64 hexadecimal digits. Without it,
// SetSubject and the methods of a Subject are [ErrArgument].
//
// A key may be listed though its record is gone or belongs to another subject by now:
// whose a record is, the record itself says.
type SubjectStore interface {
	Store
	// List notes that a key belongs to a subject, for at least ttl, or for ever if that
	// is negative. To note it again never shortens that. It is called before the record
	// is saved or touched.
	List(subject, key string, ttl time.Duration) error
	// Unlist takes such a note back, if there is one. It is called after the record was
	// removed.
	Unlist(subject, key string) error
	// Members gives the keys that belong to a subject, in any order.
	Members(subject string) (keys []string, err error)
}

// A PayloadSerializer writes the data of sessions in a form of the caller's own, as
// Options.CustomSerializer. It is used by several goroutines at once.
//
// An error of Loads makes the cookie, or the record, malformed: the session is new. One
// of Dumps fails the commit with [ErrUnsupported], whose Cause it is. So does a panic. A
// method must not end its goroutine.
type PayloadSerializer interface {
	// Loads gives the JSON text that a payload stands for. For a cookie it is the array
	// [renewed, created, state]: two numbers, in seconds since the Unix epoch, and an
	// object. For a record of a store it is the state alone.
	Loads(payload []byte) (json []byte, err error)
	// Dumps gives the payload that stands for such a JSON text.
	Dumps(json []byte) (payload []byte, err error)
}
