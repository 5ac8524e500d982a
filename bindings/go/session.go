package khufu

// #include <khufu.h>
import "C"

import (
	"math"
	"runtime"
	"time"
)

// A Session is the data of one visitor during one request. It is for one goroutine
// at a time: reading changes it too.
//
// After Close, methods give [ErrClosed] where they have an error to give, else the
// zero value.
type Session struct {
	handle    *C.khufu_session
	cleanup   runtime.Cleanup
	refusal   string
	committed []uint64 // what hash makes of the Set-Cookie values of all commits
}

// Close frees the session; what was not committed is lost. To close it again does
// nothing; the error is always nil.
func (s *Session) Close() error {
	if s.handle != nil {
		s.cleanup.Stop()
		freeSession(s.handle)
		s.handle = nil
	}
	return nil
}

func freeSession(handle *C.khufu_session) { C.khufu_session_free(handle) }

// use gives the handle for one call: NULL once the session is closed, which the core
// takes for a failure. The session must stay reachable until the call is over and its
// outputs are copied, so every caller defers a runtime.KeepAlive.
func (s *Session) use() *C.khufu_session {
	handle := s.handle
	collect()
	return handle
}

func (s *Session) check(status C.khufu_status) error {
	switch {
	case status == C.KHUFU_OK:
		return nil
	case status == C.KHUFU_NOT_FOUND:
		return notFound
	case s.handle == nil:
		return ErrClosed
	}
	return &Error{Status: Status(status), Detail: C.GoString(C.khufu_session_error(s.handle))}
}

// IsNew says whether the session began with this request.
func (s *Session) IsNew() bool {
	defer runtime.KeepAlive(s)
	return bool(C.khufu_session_is_new(s.use()))
}

// IsChanged says whether a commit has something to write.
func (s *Session) IsChanged() bool {
	defer runtime.KeepAlive(s)
	return bool(C.khufu_session_is_changed(s.use()))
}

// Created is when the session began.
func (s *Session) Created() time.Time {
	defer runtime.KeepAlive(s)
	return s.instant(C.khufu_session_created(s.use()))
}

// Accessed is when the session was last read or written, this request included, in
// whole seconds; before that, what Renewed is.
func (s *Session) Accessed() time.Time {
	defer runtime.KeepAlive(s)
	return s.instant(C.khufu_session_accessed(s.use()))
}

// Renewed is when the session was last written to a cookie, from which Timeout and
// ReissueTime count.
func (s *Session) Renewed() time.Time {
	defer runtime.KeepAlive(s)
	return s.instant(C.khufu_session_renewed(s.use()))
}

// Changed has the session written at commit though nothing in it was set.
func (s *Session) Changed() error {
	defer runtime.KeepAlive(s)
	return s.check(C.khufu_session_changed(s.use()))
}

// Invalidate drops all data and starts a new session. What is set afterwards belongs
// to that; if nothing is, Commit removes the cookie from the browser.
func (s *Session) Invalidate() error {
	defer runtime.KeepAlive(s)
	return s.check(C.khufu_session_invalidate(s.use()))
}

// ID is the key of the session's record in the store, 64 hexadecimal digits. It stays the
// same through every login, and may be logged, for it opens nothing; so bind no right and
// no token to it. Before the first commit, and in a cookie, there is none: [ErrNotFound].
func (s *Session) ID() (string, error) {
	defer runtime.KeepAlive(s)
	var id *C.char
	var length C.size_t
	if err := s.check(C.khufu_session_id(s.use(), &id, &length)); err != nil {
		return "", err
	}
	return copied(id, length), nil
}

// RegenerateID gives a session in a store a new id at commit, against session fixation:
// call it when a user has logged in. For RegenerateGrace the old id opens, read-only, the
// data as it was before, never what is newer; a commit of changes to that is [ErrGone]. A
// session in a cookie is only written anew.
func (s *Session) RegenerateID() error {
	defer runtime.KeepAlive(s)
	return s.check(C.khufu_session_regenerate_id(s.use()))
}

// epoch is the time as Python tells it: seconds since the Unix epoch, as a float.
func epoch(t time.Time) C.double {
	return C.double(float64(t.Unix()) + float64(t.Nanosecond())/1e9)
}

// instant is the inverse of epoch, exactly: a nanosecond is finer than the float.
func (s *Session) instant(epoch C.double) time.Time {
	if s.handle == nil {
		return time.Time{}
	}
	return instant(epoch)
}

func instant(epoch C.double) time.Time {
	const farthest = 1 << 53 // beyond, a float has not even every second
	seconds, fraction := math.Modf(max(-farthest, min(float64(epoch), farthest)))
	return time.Unix(int64(seconds), int64(math.Round(fraction*1e9))).UTC()
}
