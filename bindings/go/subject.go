package khufu

// #include "callbacks.h"
import "C"

import (
	"time"
)

// A Subject is a user, or anything else that sessions belong to. [Session.SetSubject]
// assigns a session to a subject, in this process or another. A Subject is safe for
// concurrent use.
type Subject struct {
	factory *Factory
	name    string
}

// A SubjectSession is one session of a [Subject].
type SubjectSession struct {
	ID       string    // the session's [Session.ID]
	Created  time.Time // when the session began
	Accessed time.Time // when the session was last used
}

// Subject returns the subject of a name, such as "user-42". The factory must have the type
// [Stored], and a custom store must be a [SubjectStore]. Otherwise the subject's methods
// fail with [ErrArgument].
func (f *Factory) Subject(name string) *Subject {
	return &Subject{factory: f, name: name}
}

// SetSubject assigns the session to the subject of a name, so that [Factory.Subject] finds
// it. An empty name means that the session belongs to nobody. For a session in a cookie, or
// in a [Store] that is not a [SubjectStore], the error is [ErrArgument].
func (s *Session) SetSubject(name string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.checkChange(C.khufu_session_set_subject(s.handleForChange(), cString(name), cLength(name)))
}

// Subject returns the name of the subject that the session belongs to. If it belongs to
// nobody, the error is [ErrNotFound].
func (s *Session) Subject() (string, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var name *C.char
	var length C.size_t
	status := C.khufu_session_subject(s.handleForCall(), &name, &length)
	return copied(name, length), s.check(status)
}

// Sessions returns the subject's sessions, the most recently used first.
func (s *Subject) Sessions() ([]SubjectSession, error) {
	var sessions []SubjectSession
	err := s.open(func(handle *C.khufu_subject, _ *C.khufu_go_call) C.khufu_status {
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

// Revoke ends the subject's session with this ID. If the subject has no such session, the
// error is [ErrNotFound].
func (s *Subject) Revoke(id string) error {
	return s.open(func(handle *C.khufu_subject, call *C.khufu_go_call) C.khufu_status {
		return C.khufu_go_subject_revoke(handle, cString(id), cLength(id), call)
	})
}

// RevokeAll ends all of the subject's sessions except the one with this ID, or all if the
// ID is empty. It returns how many sessions it ended. If the store is a Redis that may evict
// keys (its maxmemory-policy is not noeviction), sessions may be missing from the subject's
// list. RevokeAll then ends the listed ones and fails with [ErrStore].
func (s *Subject) RevokeAll(except string) (int, error) {
	var revoked C.size_t
	err := s.open(func(handle *C.khufu_subject, call *C.khufu_go_call) C.khufu_status {
		return C.khufu_go_subject_revoke_all(handle, cString(except), cLength(except), &revoked, call)
	})
	return int(revoked), err
}

// open opens the subject in the core and uses it for one call.
func (s *Subject) open(use func(*C.khufu_subject, *C.khufu_go_call) C.khufu_status) error {
	s.factory.mutex.RLock()
	defer s.factory.mutex.RUnlock()
	factory := s.factory.handleForCall()
	if factory == nil {
		return ErrClosed
	}
	var handle *C.khufu_subject
	var call C.khufu_go_call
	status := C.khufu_go_subject_open(factory, cString(s.name), cLength(s.name), &handle, &call)
	defer C.khufu_subject_free(handle)
	if status == C.KHUFU_OK {
		end(&call, nil)
		status = use(handle, &call)
	}
	var err error
	switch status {
	case C.KHUFU_OK:
	case C.KHUFU_NOT_FOUND:
		err = notFound
	default:
		err = &Error{Status: Status(status), Detail: C.GoString(C.khufu_subject_error(handle))}
	}
	return end(&call, err)
}
