// Package storetest tests stores. Call it in the tests of a [khufu.Store] of your own: [Contract]
// tests the store itself, and [Sessions] tests sessions in it.
package storetest

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// now is the time of all requests, unless a test says otherwise.
var now = time.Unix(1700000060, 0)

// A browser keeps the session cookie of one visitor.
type browser struct {
	t      *testing.T
	cookie string
}

// open opens the browser's session in a request.
func (b *browser) open(factory *khufu.Factory, options ...khufu.OpenOption) *khufu.Session {
	b.t.Helper()
	session, err := factory.Open(b.cookie, append([]khufu.OpenOption{khufu.At(now)}, options...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { session.Close() })
	return session
}

// commit commits a session, keeps the cookie of the response, and reports whether there is one.
func (b *browser) commit(session *khufu.Session) bool {
	b.t.Helper()
	header, err := session.Commit()
	if err != nil {
		b.t.Fatal(err)
	}
	return b.keep(header)
}

func (b *browser) keep(header http.Header) bool {
	values := header["Set-Cookie"]
	if len(values) > 0 {
		b.cookie, _, _ = strings.Cut(values[0], ";")
	}
	return len(values) > 0
}

// visit makes a whole request, and reports whether the response sets a cookie.
func (b *browser) visit(factory *khufu.Factory, use func(*khufu.Session) error) bool {
	b.t.Helper()
	session := b.open(factory)
	if err := use(session); err != nil {
		b.t.Fatal(err)
	}
	return b.commit(session)
}

// login makes a request that assigns the session to a subject, and returns the session's ID.
func (b *browser) login(factory *khufu.Factory, subject string) (id string) {
	b.t.Helper()
	b.visit(factory, func(s *khufu.Session) error { return errors.Join(s.Set("a", 1), s.SetSubject(subject)) })
	id, err := b.open(factory).ID()
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

// wantState compares the browser's session, as the next request sees it, with JSON text.
func (b *browser) wantState(factory *khufu.Factory, wanted string) {
	b.t.Helper()
	if state, err := b.open(factory).ToJSON(); err != nil || string(state) != wanted {
		b.t.Errorf("the state is %s, %v, not %s", state, err, wanted)
	}
}

// wantResult compares the load result of the browser's next request.
func (b *browser) wantResult(factory *khufu.Factory, wanted khufu.LoadResult, options ...khufu.OpenOption) {
	b.t.Helper()
	if result := b.open(factory, options...).LoadResult(); result != wanted {
		b.t.Errorf("the load result is %v, not %v", result, wanted)
	}
}

// wantGone checks that a commit fails because another request has ended the session.
func (b *browser) wantGone(session *khufu.Session) {
	b.t.Helper()
	if header, err := session.Commit(); !errors.Is(err, khufu.ErrGone) || len(header["Set-Cookie"]) != 0 {
		b.t.Errorf("the commit sets %d cookies, %v", len(header["Set-Cookie"]), err)
	}
}
