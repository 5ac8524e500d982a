package khufu

// #include <khufu.h>
import "C"

import (
	"math"
	"runtime"
	"sync"
	"time"
)

// A Session is the data of one visitor during one request. If several goroutines use it,
// each call waits for the others.
//
// After Close, methods return [ErrClosed], or a zero value if they return no error.
type Session struct {
	mutex     sync.Mutex // held during a call
	handle    *C.khufu_session
	cleanup   runtime.Cleanup
	refusal   string
	committed []uint64 // the hashes of the Set-Cookie values of all commits

	ofMiddleware bool         // Close leaves the session to the middleware
	failure      error        // why the middleware could not open the session
	sent         bool         // the head of the response was sent, so changes are refused
	lost         bool         // a change was refused
	store        *customStore // nil if the store is the core's own
}

// Close frees the session. Changes that were not committed are lost. Closing it again does
// nothing, and neither does closing a session of [FromContext], which [Factory.Middleware]
// closes. The error is always nil.
func (s *Session) Close() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !s.ofMiddleware {
		s.close()
	}
	return nil
}

// closeLast closes a session of the middleware, and reports whether a change was refused
// because the response was already sent.
func (s *Session) closeLast() (lost bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.close()
	return s.lost
}

func (s *Session) close() {
	if s.handle != nil {
		s.cleanup.Stop()
		freeSession(s.handle)
		s.handle = nil
	}
}

func freeSession(handle *C.khufu_session) { C.khufu_session_free(handle) }

// handleForCall returns the handle for one call into the core. It is NULL if the session is
// closed; the core then returns an error. The caller holds the mutex until the call is over
// and its outputs are copied, which also keeps the session reachable.
func (s *Session) handleForCall() *C.khufu_session {
	handle := s.handle
	duringCall()
	return handle
}

// handleForChange returns the handle for one call that changes the session. It is NULL if the
// change could not be saved any more; [Session.checkChange] then returns the error.
func (s *Session) handleForChange() *C.khufu_session {
	if s.sent {
		return nil
	}
	return s.handleForCall()
}

// checkChange returns the error of a call into the core that changes the session.
func (s *Session) checkChange(status C.khufu_status) error {
	if s.sent && s.handle != nil {
		s.lost = true
		return ErrSent
	}
	return s.check(status)
}

// check returns the error of a call into the core.
func (s *Session) check(status C.khufu_status) error {
	switch {
	case status == C.KHUFU_OK:
		return nil
	case status == C.KHUFU_NOT_FOUND:
		return notFound
	case s.handle == nil && s.failure != nil:
		return s.failure
	case s.handle == nil:
		return ErrClosed
	}
	return &Error{Status: Status(status), Detail: C.GoString(C.khufu_session_error(s.handle))}
}

// IsNew reports whether the session began with this request.
func (s *Session) IsNew() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return bool(C.khufu_session_is_new(s.handleForCall()))
}

// IsChanged reports whether a commit would write the session.
func (s *Session) IsChanged() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return bool(C.khufu_session_is_changed(s.handleForCall()))
}

// Created returns when the session began.
func (s *Session) Created() time.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.instant(C.khufu_session_created(s.handleForCall()))
}

// Accessed returns when the session was last read or written. If this request has done
// so, it is the time of the request in whole seconds; otherwise it is the same as Renewed.
func (s *Session) Accessed() time.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.instant(C.khufu_session_accessed(s.handleForCall()))
}

// Renewed returns when the session was last written to a cookie. Timeout and ReissueTime
// count from then.
func (s *Session) Renewed() time.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.instant(C.khufu_session_renewed(s.handleForCall()))
}

// MarkChanged marks the session as changed, so that Commit writes it even if no key was set.
func (s *Session) MarkChanged() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.checkChange(C.khufu_session_mark_changed(s.handleForChange()))
}

// Invalidate drops all data and starts a new session. Keys that you set afterwards belong
// to the new session. If you set none, Commit removes the cookie from the browser.
func (s *Session) Invalidate() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.checkChange(C.khufu_session_invalidate(s.handleForChange()))
}

// ID returns the public id of the session: 64 hexadecimal digits, the key of its record in
// the store. You can write it to logs, because it cannot open the session. It stays the same
// after a login, so do not derive permissions or tokens from it. Before the first commit,
// and for a session in a cookie, the error is [ErrNotFound].
func (s *Session) ID() (string, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var id *C.char
	var length C.size_t
	if err := s.check(C.khufu_session_id(s.handleForCall(), &id, &length)); err != nil {
		return "", err
	}
	return copied(id, length), nil
}

// RegenerateID gives the cookie of a session in a store a new id at the next commit. Call it
// when a user logs in, to prevent session fixation. For the time of RegenerateGrace, the old
// id still opens the data from before that commit, but not the newer data, and committing
// changes through the old id fails with [ErrGone]. A session in a cookie has no id; it is
// only written again.
func (s *Session) RegenerateID() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.checkChange(C.khufu_session_regenerate_id(s.handleForChange()))
}

// unixSeconds converts a time to seconds since the Unix epoch, as Python's time.time does.
func unixSeconds(t time.Time) C.double {
	return C.double(float64(t.Unix()) + float64(t.Nanosecond())/1e9)
}

// instant converts a time of the session, or returns the zero time if it is closed.
func (s *Session) instant(seconds C.double) time.Time {
	if s.handle == nil {
		return time.Time{}
	}
	return instant(seconds)
}

// instant is the inverse of unixSeconds. It is exact, because a float of this size is less
// precise than a nanosecond.
func instant(seconds C.double) time.Time {
	const farthest = 1 << 53 // beyond this, a float cannot represent every whole second
	whole, fraction := math.Modf(max(-farthest, min(float64(seconds), farthest)))
	return time.Unix(int64(whole), int64(math.Round(fraction*1e9))).UTC()
}
