package khufu_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/internal/redistest"
	"github.com/khufu/khufu/bindings/go/storetest"
)

// stores are the options for each kind of store.
func stores(t *testing.T) map[string]khufu.Options {
	return map[string]khufu.Options{
		"memory": {Type: khufu.Stored},
		"sqlite": {Type: khufu.Stored, Store: sqlite(t)},
		"redis":  {Type: khufu.Stored, Store: redistest.Start(t).URL},
		"custom": {CustomStore: new(MapStore)},
	}
}

// onEveryStore runs a test with each kind of store.
func onEveryStore(t *testing.T, test func(*testing.T, *khufu.Factory)) {
	for name, options := range stores(t) {
		t.Run(name, func(t *testing.T) { test(t, newFactory(t, options)) })
	}
}

func TestEveryStore(t *testing.T) {
	for name, options := range stores(t) {
		t.Run(name, func(t *testing.T) {
			one, other := newFactory(t, options), newFactory(t, options)
			if name == "memory" {
				other = one
			}
			storetest.Sessions(t, one, other)
		})
	}
}

func TestAStoreInMapsFulfilsTheContract(t *testing.T) {
	storetest.Contract(t, new(MapStore))
	type plain struct{ khufu.Store } // without the methods for subjects
	storetest.Contract(t, plain{new(MapStore)})
}

func sqlite(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "sessions.db") }

// begin commits a new session and returns the browser's Cookie header.
func begin(t *testing.T, factory *khufu.Factory, state map[string]any) string {
	t.Helper()
	session := openAt(t, factory, "", now)
	if err := errors.Join(session.Update(state), session.MarkChanged()); err != nil {
		t.Fatal(err)
	}
	return commit(t, session)
}

func TestAnOldIDOpensNothingWithoutGrace(t *testing.T) {
	factory := newFactory(t, khufu.Options{Type: khufu.Stored, RegenerateGrace: -1})
	header := begin(t, factory, map[string]any{})
	session := openAt(t, factory, header, now)
	session.RegenerateID()
	commit(t, session)
	wantEqual(t, "the load result without grace", openAt(t, factory, header, now).LoadResult(), khufu.LoadMissing)
}

func TestAbsoluteTimeout(t *testing.T) {
	for _, kind := range []khufu.Type{khufu.SignedCookie, khufu.Stored} {
		factory := newFactory(t, khufu.Options{Type: kind, Timeout: -1, AbsoluteTimeout: 100 * time.Second})
		header := begin(t, factory, map[string]any{"a": 1})
		wantEqual(t, "the load result", openAt(t, factory, header, now.Add(99*time.Second)).LoadResult(), khufu.Loaded)
		wantEqual(t, "the load result later", openAt(t, factory, header, now.Add(101*time.Second)).LoadResult(), khufu.LoadExpired)
	}
}

func TestKeysInRedisHaveThePrefix(t *testing.T) {
	redis := redistest.Start(t)
	shop := newFactory(t, khufu.Options{Type: khufu.Stored, Store: redis.URL, StorePrefix: "shop:"})
	header := begin(t, shop, map[string]any{"a": 1})
	wantEqual(t, "the number of keys", redis.Do(t, "DBSIZE"), ":1")
	wantEqual(t, "the number of the shop's keys", redis.Do(t, "EVAL", "return #redis.call('KEYS', 'shop:*')", "0"), ":1")
	wantEqual(t, "the state", toJSON(t, openAt(t, shop, header, now)), `{"a":1}`)
	other := newFactory(t, khufu.Options{Type: khufu.Stored, Store: redis.URL})
	wantEqual(t, "the load result with another prefix", openAt(t, other, header, now).LoadResult(), khufu.LoadMissing)
}

func TestAFullStoreIsAnError(t *testing.T) {
	memory := newFactory(t, khufu.Options{Type: khufu.Stored, StoreMaxBytes: 100_000})
	session := openAt(t, memory, "", now)
	set(t, session, "large", strings.Repeat("x", 200_000))
	_, err := session.Commit()
	wantError(t, err, khufu.ErrStore)
	if !strings.Contains(err.Error(), "store_max_bytes") {
		t.Errorf("%v does not name the option", err)
	}
}

// With MaxAge, reading a session renews the browser's cookie, but only while its id is valid.
func TestReadingDoesNotRenewAnOldCookie(t *testing.T) {
	for name, options := range map[string]khufu.Options{
		"memory": {Type: khufu.Stored, MaxAge: time.Hour}, "custom": {CustomStore: new(MapStore), MaxAge: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			factory := newFactory(t, options)
			header := begin(t, factory, map[string]any{"a": 1})
			read := func() *khufu.Session {
				session := openAt(t, factory, header, now.Add(time.Minute))
				session.Contains("a")
				return session
			}
			current, beforeLogin, beforeLogout := read(), read(), read()
			wantEqual(t, "the cookie", commit(t, current), header)
			login := openAt(t, factory, header, now)
			login.RegenerateID()
			commit(t, login)
			wantEqual(t, "the cookie after a login", commit(t, beforeLogin), "")
			login.Invalidate()
			commit(t, login)
			wantEqual(t, "the cookie after a logout", commit(t, beforeLogout), "")
		})
	}
}

func TestANewSessionHasNoID(t *testing.T) {
	session := openAt(t, newFactory(t, khufu.Options{Type: khufu.Stored}), "", now)
	set(t, session, "a", 1)
	_, err := session.ID()
	wantError(t, err, khufu.ErrNotFound)
	commit(t, session)
	if id, err := session.ID(); err != nil || len(id) != 64 {
		t.Errorf("%q, %v", id, err)
	}
}

func TestASessionInACookieHasNoID(t *testing.T) {
	session := newSession(t)
	_, err := session.ID()
	wantError(t, err, khufu.ErrNotFound)
	if err := session.RegenerateID(); err != nil || commit(t, session) == "" {
		t.Errorf("the cookie is not written again: %v", err)
	}
}

func TestADoneContextFailsAtOnce(t *testing.T) {
	factory := newFactory(t, khufu.Options{Type: khufu.Stored})
	session := openAt(t, factory, "", now)
	set(t, session, "a", 1)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	expired, cancel := context.WithDeadline(context.Background(), now)
	defer cancel()
	for wanted, ctx := range map[error]context.Context{context.Canceled: cancelled, context.DeadlineExceeded: expired} {
		_, err := factory.OpenContext(ctx, "")
		wantEqual(t, "the error of OpenContext", err, wanted)
		_, err = factory.OpenRequest(httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		wantEqual(t, "the error of OpenRequest", err, wanted)
		_, err = session.CommitContext(ctx)
		wantEqual(t, "the error of CommitContext", err, wanted)
		wantEqual(t, "the error of CommitToContext", session.CommitToContext(ctx, http.Header{}), wanted)
	}
	wantEqual(t, "changed", session.IsChanged(), true)

	longer, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	header, err := session.CommitContext(longer)
	if err != nil || len(header["Set-Cookie"]) != 1 {
		t.Errorf("%q, %v", header, err)
	}
}
