package khufu

import (
	"errors"
	"net/http"
	"runtime"
)

// Transact opens the session of a request, calls change with it, and commits it to the
// headers of the response, which must not have been sent yet. If the commit fails with
// [ErrConflict], because other requests kept changing the session or gave a key a value of
// another type, Transact starts over: it opens the session as it is now and calls change
// again. It ends with the first commit that does not conflict, or when the request's
// context is done. Requests that set the same key do not conflict: the later commit wins.
//
// The session is closed when change returns. If change returns an error, nothing is
// committed, and Transact returns that error.
//
// If the request passed through [Factory.Middleware], the session is the one of [FromContext],
// and stays open. What was changed before is committed first, and what change did before it
// returned an error, or before Transact started over, is undone.
func (f *Factory) Transact(header http.Header, r *http.Request, change func(*Session) error) error {
	transactOnce := f.transactOnce
	if response, ok := r.Context().Value(contextKey{}).(*response); ok && response.factory == f {
		transactOnce = response.transactOnce
	}
	for {
		conflict, err := transactOnce(header, r, change)
		if !conflict {
			return err
		}
	}
}

// transactOnce makes one attempt, and reports whether its commit failed with ErrConflict.
func (f *Factory) transactOnce(header http.Header, r *http.Request, change func(*Session) error) (bool, error) {
	session, err := f.OpenRequest(r)
	if err != nil {
		return false, err
	}
	defer session.Close()
	if err := change(session); err != nil {
		return false, err
	}
	err = session.CommitToContext(r.Context(), header)
	return errors.Is(err, ErrConflict), err
}

// transactOnce makes one attempt with the session of the middleware. If it fails, the session
// becomes what it was before, or what other requests have made of it.
func (r *response) transactOnce(header http.Header, request *http.Request, change func(*Session) error) (bool, error) {
	session := r.openSession()
	if err := session.CommitToContext(request.Context(), header); err != nil {
		return false, err
	}
	value, _ := session.Value() // empty if there is no cookie
	err, conflict := change(session), false
	if err == nil {
		err = session.CommitToContext(request.Context(), header)
		conflict = errors.Is(err, ErrConflict)
	}
	if err != nil {
		session.reopen(r.factory, r.request, value)
	}
	return conflict, err
}

// reopen opens the session again, from the value of its cookie if a commit has set that.
func (s *Session) reopen(factory *Factory, request *http.Request, value string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	open := func() (*Session, error) { return factory.OpenRequest(request) }
	if len(s.committed) > 0 {
		open = func() (*Session, error) { return factory.OpenValue(request.Context(), value) }
	}
	again, err := open()
	s.close()
	s.committed = nil // the cookie in the response stays
	if err != nil {
		s.failure = err
		return
	}
	again.cleanup.Stop()
	s.handle, s.refusal = again.handle, again.refusal
	s.cleanup = runtime.AddCleanup(s, freeSession, s.handle)
}
