package khufu_test

import (
	"errors"
	"net/http"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
)

// errSoldOut is an error of the application.
var errSoldOut = errors.New("sold out")

func TestTransactUsesTheSessionOfTheMiddleware(t *testing.T) {
	onEveryStore(t, func(t *testing.T, factory *khufu.Factory) {
		response := serve(factory, get(), func(w http.ResponseWriter, r *http.Request) {
			session := khufu.FromContext(r.Context())
			set(t, session, "before", 1)
			err := factory.Transact(w.Header(), r, func(s *khufu.Session) error {
				wantEqual(t, "whether it is the same session", s, session)
				return s.Set("within", 2)
			})
			if err != nil {
				t.Error(err)
			}
			set(t, session, "after", 3)
		})
		cookies := response.Header["Set-Cookie"]
		wantEqual(t, "the number of cookies", len(cookies), 1)
		wantState(t, factory, cookieOf(cookies...), `{"before":1,"within":2,"after":3}`)
	})
}

func TestTransactStartsOverWithinTheMiddleware(t *testing.T) {
	onEveryStore(t, func(t *testing.T, factory *khufu.Factory) {
		request, calls := beginNow(t, factory, map[string]any{"pages": []int{1}}), 0
		serve(factory, request, func(w http.ResponseWriter, r *http.Request) {
			session := khufu.FromContext(r.Context())
			set(t, session, "before", 1)
			err := factory.Transact(w.Header(), r, func(session *khufu.Session) error {
				calls++
				if calls == 1 {
					setInAnotherRequest(t, factory, request, "pages")
					return errors.Join(session.Set("first", 1), session.Append("pages", 2))
				}
				return errors.Join(session.Set("pages", []int{2}), session.Set("second", 2))
			})
			if err != nil {
				t.Error(err)
			}
			set(t, session, "after", 3)
		})
		wantEqual(t, "the number of calls", calls, 2)
		wantState(t, factory, request.Header.Get("Cookie"), `{"pages":[2],"before":1,"second":2,"after":3}`)
	})
}

// A change that fails is undone, whatever the browser's cookie is by then.
func TestTransactUndoesAChangeWithinTheMiddleware(t *testing.T) {
	for name, row := range map[string]struct {
		before func(*khufu.Session) error
		state  string
	}{
		"nothing before":  {func(*khufu.Session) error { return nil }, `{"user":"ada"}`},
		"a change before": {func(s *khufu.Session) error { return s.Set("before", 1) }, `{"user":"ada","before":1}`},
		"a new id before": {func(s *khufu.Session) error { return s.RegenerateID() }, `{"user":"ada"}`},
		"a logout before": {func(s *khufu.Session) error { return s.Invalidate() }, `{}`},
		"a new user before": {func(s *khufu.Session) error {
			return errors.Join(s.Invalidate(), s.Set("user", "zoe"))
		}, `{"user":"zoe"}`},
	} {
		for place, options := range map[string]khufu.Options{"cookie": {}, "store": {Type: khufu.Stored}} {
			t.Run(name+", "+place, func(t *testing.T) {
				factory := newFactory(t, options)
				request := beginNow(t, factory, map[string]any{"user": "ada"})
				response := serve(factory, request, func(w http.ResponseWriter, r *http.Request) {
					session := khufu.FromContext(r.Context())
					if err := row.before(session); err != nil {
						t.Error(err)
					}
					wantError(t, factory.Transact(w.Header(), r, func(session *khufu.Session) error {
						return errors.Join(session.Set("user", "eve"), errSoldOut)
					}), errSoldOut)
					wantEqual(t, "the state", toJSON(t, session), row.state)
				})
				cookie := request.Header.Get("Cookie")
				if cookies := response.Header["Set-Cookie"]; len(cookies) > 0 {
					cookie = cookieOf(cookies[len(cookies)-1])
				}
				wantState(t, factory, cookie, row.state)
			})
		}
	}
}

func TestTransactOfAnotherFactoryOpensItsOwnSession(t *testing.T) {
	factory, other := newFactory(t, khufu.Options{}), newFactory(t, khufu.Options{CookieName: "other"})
	response := serve(factory, get(), func(w http.ResponseWriter, r *http.Request) {
		set(t, khufu.FromContext(r.Context()), "a", 1)
		err := other.Transact(w.Header(), r, func(session *khufu.Session) error { return session.Set("b", 2) })
		if err != nil {
			t.Error(err)
		}
	})
	wantEqual(t, "the number of cookies", len(response.Cookies()), 2)
}

func TestTransactIsRefusedAfterTheResponseIsSent(t *testing.T) {
	factory := newFactory(t, khufu.Options{OnError: ignoreError})
	serve(factory, get(), func(w http.ResponseWriter, r *http.Request) {
		khufu.FromContext(r.Context())
		w.WriteHeader(http.StatusOK)
		wantError(t, factory.Transact(w.Header(), r, func(*khufu.Session) error {
			t.Error("the function was called")
			return nil
		}), khufu.ErrSent)
	})
}
