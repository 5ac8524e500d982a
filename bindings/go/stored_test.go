package khufu_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// onEveryStore runs a test with each kind of store.
func onEveryStore(t *testing.T, test func(*testing.T, *khufu.Factory)) {
	stores := map[string]khufu.Options{
		"memory": {Type: khufu.Stored},
		"sqlite": {Type: khufu.Stored, Store: sqlite(t)},
		"redis":  {Type: khufu.Stored, Store: startRedis(t).URL},
		"custom": {CustomStore: new(MapStore)},
	}
	for name, options := range stores {
		t.Run(name, func(t *testing.T) { test(t, newFactory(t, options)) })
	}
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

func TestAStoredSessionOpensInTheNextRequest(t *testing.T) {
	onEveryStore(t, func(t *testing.T, factory *khufu.Factory) {
		large := strings.Repeat("x", 100_000)
		header := begin(t, factory, map[string]any{"user": "Zoë", "large": large})
		wantEqual(t, "the length of the cookie", len(header), len("session=")+86)
		session := openAt(t, factory, header, now.Add(time.Second))
		wantEqual(t, "the load result", session.LoadResult(), khufu.Loaded)
		user, err := session.GetString("user")
		if found, _ := session.GetString("large"); err != nil || user != "Zoë" || found != large {
			t.Errorf("the user is %q, %v; %d bytes", user, err, len(found))
		}
		id, err := session.ID()
		if err != nil || len(id) != 64 || strings.Contains(header, id) {
			t.Errorf("the id is %q, %v", id, err)
		}
		wantEqual(t, "the cookie if the browser has it already", commit(t, session), "")
		wantEqual(t, "the load result much later",
			openAt(t, factory, header, now.Add(time.Hour)).LoadResult(), khufu.LoadExpired)
	})
}

func TestConcurrentRequestsKeepEachOthersChanges(t *testing.T) {
	onEveryStore(t, func(t *testing.T, factory *khufu.Factory) {
		header := begin(t, factory, map[string]any{"gone": 1})
		one, other := openAt(t, factory, header, now), openAt(t, factory, header, now)
		set(t, one, "one", 1)
		set(t, other, "other", 2)
		if err := errors.Join(one.Flash("from one"), other.Flash("from other"), other.Delete("gone")); err != nil {
			t.Fatal(err)
		}
		commit(t, one)
		commit(t, other)
		wantEqual(t, "the state", toJSON(t, openAt(t, factory, header, now)),
			`{"one":1,"_f_":["from one","from other"],"other":2}`)
	})
}

func TestConcurrentGoroutinesLoseNoChanges(t *testing.T) {
	onEveryStore(t, func(t *testing.T, factory *khufu.Factory) {
		header := begin(t, factory, map[string]any{})
		var group sync.WaitGroup
		for worker := range 4 {
			group.Add(1)
			go func() {
				defer group.Done()
				for visit := range 25 {
					session, err := factory.Open(header, khufu.At(now))
					if err == nil {
						err = session.Set(strconv.Itoa(worker*25+visit), visit)
					}
					if err == nil {
						_, err = session.Commit()
					}
					if err != nil {
						t.Error(err)
						return
					}
					session.Close()
				}
			}()
		}
		group.Wait()
		wantEqual(t, "the number of keys", openAt(t, factory, header, now).Len(), 100)
	})
}

func TestALogoutIsFinal(t *testing.T) {
	onEveryStore(t, func(t *testing.T, factory *khufu.Factory) {
		header := begin(t, factory, map[string]any{"user": 1})
		slow, logout := openAt(t, factory, header, now), openAt(t, factory, header, now)
		set(t, slow, "seen", true)
		if err := logout.Invalidate(); err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "the cookie", commit(t, logout), "session=")

		responseHeader := http.Header{}
		wantError(t, slow.CommitTo(responseHeader), khufu.ErrGone)
		wantEqual(t, "the number of cookies", len(responseHeader["Set-Cookie"]), 0)
		wantEqual(t, "the state that it read", toJSON(t, slow), `{"user":1,"seen":true}`)

		next := openAt(t, factory, header, now)
		wantEqual(t, "the load result", next.LoadResult(), khufu.LoadMissing)
		wantEqual(t, "the name of the load result", next.LoadResult().String(), "missing")
		set(t, next, "a", 1)
		if cookie := commit(t, next); cookie == "" || cookie == header {
			t.Errorf("the new session's cookie is %q", cookie)
		}
	})
}

func TestRegenerateID(t *testing.T) {
	onEveryStore(t, func(t *testing.T, factory *khufu.Factory) {
		header := begin(t, factory, map[string]any{"cart": 1})
		login, late := openAt(t, factory, header, now), openAt(t, factory, header, now)
		before, _ := login.ID()
		set(t, login, "user", 42)
		if err := login.RegenerateID(); err != nil {
			t.Fatal(err)
		}
		next := commit(t, login)
		after, err := login.ID()
		if err != nil || next == "" || next == header || before == "" || after != before {
			t.Errorf("%q, %q and %q, %v", next, before, after, err)
		}
		wantEqual(t, "the state", toJSON(t, openAt(t, factory, next, now)), `{"cart":1,"user":42}`)
		old := openAt(t, factory, header, now)
		wantEqual(t, "the state under the old id", toJSON(t, old), `{"cart":1}`)
		for _, session := range []*khufu.Session{old, late} {
			set(t, session, "x", 1)
			_, err := session.Commit()
			wantError(t, err, khufu.ErrGone)
		}
		logout := openAt(t, factory, header, now) // with the old id
		if err := logout.Invalidate(); err != nil {
			t.Fatal(err)
		}
		commit(t, logout)
		for _, cookie := range []string{header, next} {
			wantEqual(t, "the load result after a logout", openAt(t, factory, cookie, now).LoadResult(), khufu.LoadMissing)
		}
	})

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
	redis := startRedis(t)
	shop := newFactory(t, khufu.Options{Type: khufu.Stored, Store: redis.URL, StorePrefix: "shop:"})
	header := begin(t, shop, map[string]any{"a": 1})
	wantEqual(t, "the number of keys", redis.do(t, "DBSIZE"), ":1")
	wantEqual(t, "the number of the shop's keys", redis.do(t, "EVAL", "return #redis.call('KEYS', 'shop:*')", "0"), ":1")
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
