package khufu

import "time"

// A Store keeps sessions where the caller likes, as Options.CustomStore: for how long
// it may be asked to wait is its own matter, StoreTimeout cannot interrupt it. It is
// used by several goroutines at once.
//
// A record is bytes with a generation, a number from 1 on; its key is 64 hexadecimal
// digits. The time to live counts from now; if it is negative, the record is kept for
// ever. A record that has expired is not there.
//
// An error that is none of those named below fails the call of the session with
// [ErrStore], whose Cause it is; so does a panic. A method must not end its goroutine.
// Subjects are not to be had with a Store.
type Store interface {
	// Load gives a record and its generation, or [ErrNotFound].
	Load(key string) (record []byte, generation uint64, err error)
	// Save puts a record in the place of the one that has the generation expected, or,
	// if that is 0, where there is none: in one step. Else it changes nothing and
	// gives [ErrGone] where there is no record, [ErrConflict] where there is another.
	Save(key string, expected, generation uint64, record []byte, ttl time.Duration) error
	// Touch puts a record that says of a later use in the place of the one of the same
	// generation. Where there is none, or one of another generation, it does nothing.
	Touch(key string, generation uint64, record []byte, ttl time.Duration) error
	// Delete removes a record, whatever its generation. One that is not there is no
	// error.
	Delete(key string) error
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
