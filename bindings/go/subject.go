package khufu

// #include "callbacks.h"
import "C"

import (
	"runtime"
	"time"
)

// A Subject is somebody or something that sessions were said to be of with
// [Session.SetSubject], in this process or another. It is safe for use by several
// goroutines.
type Subject struct {
	factory *Factory
	name    string
}

// A SubjectSession is one session of a [Subject].
type SubjectSession struct {
	ID       string    // what [Session.ID] tells in it
	Created  time.Time // when it began
	Accessed time.Time // when it was last used
}

// Subject gives the subject of this name, such as "user-42". The factory must be of the
// type [Stored] and, if its store is the caller's own, that must be a [SubjectStore]: with
// another, the subject's methods are [ErrArgument].
func (f *Factory) Subject(name string) *Subject {
	return &Subject{factory: f, name: name}
}

// SetSubject says whose session it is, so that [Factory.Subject] finds it: nobody's if
// the name is empty. A session in a cookie, or in a [Store] that is no [SubjectStore], has
// no subject: [ErrArgument].
func (s *Session) SetSubject(name string) error {
	defer runtime.KeepAlive(s)
	return s.check(C.khufu_session_set_subject(s.use(), chars(name), size(name)))
}

// Sessions are the subject's, the one that was used last first.
func (s *Subject) Sessions() ([]SubjectSession, error) {
	var sessions []SubjectSession
	err := s.open(func(handle *C.khufu_subject, _ *C.uintptr_t) C.khufu_status {
		for cursor := C.size_t(0); ; {
			var id *C.char
			var length C.size_t
			var created, accessed C.double
			status := C.khufu_subject_next(handle, &cursor, &id, &length, &created, &accessed)
			switch status {
			case C.KHUFU_OK:
				sessions = append(sessions, SubjectSession{copied(id, length), instant(created), instant(accessed)})
			case C.KHUFU_NOT_FOUND:
				return C.KHUFU_OK
			default:
				return status
			}
		}
	})
	return sessions, err
}

// Revoke ends one of the subject's sessions, by its ID. Where the subject has no such
// session it is [ErrNotFound].
func (s *Subject) Revoke(id string) error {
	return s.open(func(handle *C.khufu_subject, cause *C.uintptr_t) C.khufu_status {
		return C.khufu_go_subject_revoke(handle, chars(id), size(id), cause)
	})
}

// RevokeAll ends all of the subject's sessions but the one with this ID, or all if it is
// empty, and tells how many that were. It is [ErrStore] if the listed ones were ended, but a
// Redis that may evict keys (its maxmemory-policy is not noeviction) may have lost others
// from the list.
func (s *Subject) RevokeAll(except string) (int, error) {
	var revoked C.size_t
	err := s.open(func(handle *C.khufu_subject, cause *C.uintptr_t) C.khufu_status {
		return C.khufu_go_subject_revoke_all(handle, chars(except), size(except), &revoked, cause)
	})
	return int(revoked), err
}

// open lends the core's handle to a call, which fills in the cause of its failure.
func (s *Subject) open(call func(*C.khufu_subject, *C.uintptr_t) C.khufu_status) error {
	s.factory.mutex.RLock()
	defer s.factory.mutex.RUnlock()
	factory := s.factory.use()
	if factory == nil {
		return ErrClosed
	}
	var handle *C.khufu_subject
	var cause C.uintptr_t
	status := C.khufu_go_subject_open(factory, chars(s.name), size(s.name), &handle, &cause)
	defer C.khufu_subject_free(handle)
	if status == C.KHUFU_OK {
		take(cause)
		cause = 0
		status = call(handle, &cause)
	}
	var err error
	switch status {
	case C.KHUFU_OK:
	case C.KHUFU_NOT_FOUND:
		err = notFound
	default:
		err = &Error{Status: Status(status), Detail: C.GoString(C.khufu_subject_error(handle))}
	}
	return because(cause, err)
}
