// Package gorilla is a store of gorilla/sessions whose sessions are khufu's: in cookies that
// Pyramid reads and writes, or in one of khufu's stores.
package gorilla

import (
	"context"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"weak"

	"github.com/gorilla/sessions"
	khufu "github.com/khufu/khufu/bindings/go"
)

// A Store is a [sessions.Store]. It is safe for concurrent use.
//
// Keys of a session's Values must be strings. A value must be nil, a bool, a string, a float64,
// an integer, or a []any or map[string]any of such values, at most 500 deep. An integer comes
// back as an int64, or as a [json.Number] if it does not fit. Any other key or value makes Save
// fail, with an error that names the key, and nothing is changed.
//
// Save writes what changed since the session was opened, not all values, so that a store keeps
// what other requests have changed meanwhile. Elements at the end of a list that are new are
// appended to the list, even if other requests have appended to it, too.
//
// The flash messages of AddFlash and Flashes are those of Pyramid's default queue.
type Store struct {
	// Options are those that every session begins with, and a request may change its session's.
	// By default, Path is "/", HttpOnly is true and SameSite is Lax. The cookie has these
	// attributes, not those of the factory. How long a session lives without being used is the
	// factory's Timeout, not MaxAge.
	Options *sessions.Options

	factory *khufu.Factory
	opened  sync.Map // by weak pointer to the sessions.Session: its *opened
}

// NewStore returns a store whose sessions a factory opens. The factory must stay open.
func NewStore(factory *khufu.Factory) *Store {
	options := &sessions.Options{Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	return &Store{Options: options, factory: factory}
}

// Get returns the session of a request whose cookie has this name. Later calls in the same
// request return the same session. A bad cookie is not an error: the session is new. If khufu's
// store fails, the session is new and there is an error, and Save fails, too.
func (s *Store) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New does the same as Get, but opens the session again each time.
func (s *Store) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	options := *s.Options
	session.Options, session.IsNew = &options, true
	opened, err := s.open(r.Context(), r.CookiesNamed(name))
	s.keep(session, opened)
	if err != nil {
		return session, err
	}
	session.IsNew = opened.session.IsNew()
	session.ID, _ = opened.session.ID()
	text, err := opened.session.ToJSON()
	if err != nil {
		return session, err
	}
	if opened.values, err = decode(text); err != nil {
		return session, err
	}
	for key, value := range opened.values {
		session.Values[key] = clone(value) // the application may change it in place
	}
	return session, nil
}

// Save commits what changed in a session, and sets its cookie if the browser needs it. It must
// be called before the response is sent. If another request has ended the session, the error is
// [khufu.ErrGone]. With a negative MaxAge in its Options, the session ends.
func (s *Store) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	opened, err := s.find(r.Context(), session)
	if err != nil {
		return err
	}
	response := response{r.Context(), w.Header(), session}
	if session.Options.MaxAge < 0 {
		return opened.end(response)
	}
	if err := opened.update(session.Values); err != nil {
		return err
	}
	if *session.Options != *s.Options || session.Options.MaxAge > 0 {
		opened.isDue = true // the browser needs the cookie again, although it may have the value
	}
	return opened.commit(response)
}

// open opens the session of the last cookie that can be opened. Browsers send several cookies of
// one name if their paths or domains differ.
func (s *Store) open(ctx context.Context, cookies []*http.Cookie) (*opened, error) {
	const most = 8
	session, err := s.factory.OpenContext(ctx, "")
	for i, cookie := range slices.Backward(cookies) {
		if err != nil || i < len(cookies)-most || !isRefused(session.LoadResult()) {
			break
		}
		session.Close()
		session, err = s.factory.OpenValue(ctx, cookie.Value)
	}
	return &opened{session: session, err: err}, err
}

// isRefused reports whether another cookie of the same name may be the right one.
func isRefused(result khufu.LoadResult) bool {
	switch result {
	case khufu.LoadNone, khufu.LoadExpired, khufu.LoadBadSignature, khufu.LoadMalformed, khufu.LoadMissing:
		return true
	}
	return false
}

// keep keeps what belongs to a session for as long as the session is reachable. It is not in the
// Values, because applications remove what is there.
func (s *Store) keep(session *sessions.Session, opened *opened) {
	key := weak.Make(session)
	s.opened.Store(key, opened)
	runtime.AddCleanup(session, func(key weak.Pointer[sessions.Session]) { s.opened.Delete(key) }, key)
}

// find returns what belongs to a session. A session that the application has made itself is new.
func (s *Store) find(ctx context.Context, session *sessions.Session) (*opened, error) {
	if found, ok := s.opened.Load(weak.Make(session)); ok {
		return found.(*opened), found.(*opened).err
	}
	opened, err := s.open(ctx, nil)
	s.keep(session, opened)
	return opened, err
}
