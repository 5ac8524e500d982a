package khufu_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// beginNow commits a new session, as begin does, and returns a request of its browser.
func beginNow(t *testing.T, factory *khufu.Factory, state map[string]any) *http.Request {
	t.Helper()
	request := httptest.NewRequest("GET", "/", nil)
	header := http.Header{}
	err := factory.Transact(header, request, func(session *khufu.Session) error { return session.Update(state) })
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Cookie", cookieOf(header["Set-Cookie"]...))
	return request
}

// setInAnotherRequest sets a key to a text, so that a commit that appends to it conflicts.
func setInAnotherRequest(t *testing.T, factory *khufu.Factory, request *http.Request, key string) {
	t.Helper()
	session, err := factory.Open(request.Header.Get("Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	set(t, session, key, "none")
	commit(t, session)
}

func TestTransactEndsWithItsContext(t *testing.T) {
	factory := newFactory(t, khufu.Options{Type: khufu.Stored})
	request := beginNow(t, factory, map[string]any{"a": 1})
	deadline, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	calls := 0
	start := time.Now()
	err := factory.Transact(http.Header{}, request.WithContext(deadline), func(session *khufu.Session) error {
		calls++
		key := strconv.Itoa(calls)
		setInAnotherRequest(t, factory, request, key)
		return session.Append(key, 1)
	})
	wantError(t, err, context.DeadlineExceeded)
	if took := time.Since(start); calls < 2 || took < 50*time.Millisecond || took > 5*time.Second {
		t.Errorf("%d calls took %v", calls, took)
	}

	cancelled, cancel := context.WithCancel(context.Background())
	err = factory.Transact(http.Header{}, request.WithContext(cancelled), func(session *khufu.Session) error {
		cancel()
		return session.Set("a", 1)
	})
	wantEqual(t, "the error of a cancelled context", err, context.Canceled)
}

func TestTransactCommitsNothingAfterAnError(t *testing.T) {
	factory := newFactory(t, khufu.Options{Type: khufu.Stored})
	request := beginNow(t, factory, map[string]any{"a": 1})
	for name, wanted := range map[string]error{"any error": errors.New("sold out"), "a conflict": khufu.ErrConflict} {
		t.Run(name, func(t *testing.T) {
			header, calls := http.Header{}, 0
			var used *khufu.Session
			err := factory.Transact(header, request, func(session *khufu.Session) error {
				used = session
				calls++
				return errors.Join(session.Set("a", 2), wanted)
			})
			wantError(t, err, wanted)
			wantEqual(t, "the number of calls", calls, 1)
			wantEqual(t, "the number of headers", len(header), 0)
			wantError(t, used.Set("a", 3), khufu.ErrClosed)
		})
	}
	wantState(t, factory, request.Header.Get("Cookie"), `{"a":1}`)
}

func TestTransactDoesNotRepeatOtherErrors(t *testing.T) {
	factory := newFactory(t, khufu.Options{Type: khufu.Stored})
	request := beginNow(t, factory, map[string]any{"a": 1})
	calls := 0
	err := factory.Transact(http.Header{}, request, func(session *khufu.Session) error {
		calls++
		logout, err := factory.OpenRequest(request)
		if err == nil {
			err = errors.Join(logout.Invalidate(), logout.CommitTo(http.Header{}), logout.Close())
		}
		return errors.Join(err, session.Set("a", 2))
	})
	wantError(t, err, khufu.ErrGone)
	wantEqual(t, "the number of calls", calls, 1)
}

func TestTransactClosesTheSessionIfItsFunctionPanics(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	var used *khufu.Session
	defer func() {
		if recover() == nil {
			t.Error("the panic was stopped")
		}
		wantError(t, used.Set("a", 1), khufu.ErrClosed)
	}()
	factory.Transact(http.Header{}, httptest.NewRequest("GET", "/", nil), func(session *khufu.Session) error {
		used = session
		panic("sold out")
	})
}
