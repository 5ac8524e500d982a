package khufu

import (
	"errors"
	"net/http"
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
func (f *Factory) Transact(header http.Header, r *http.Request, change func(*Session) error) error {
	for {
		conflict, err := f.transactOnce(header, r, change)
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
