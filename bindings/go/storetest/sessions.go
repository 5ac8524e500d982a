package storetest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// Sessions tests the sessions of two factories that share them in a store. The two must have the
// same options, with any secret, or be the same factory.
func Sessions(t *testing.T, one, other *khufu.Factory) {
	for name, test := range map[string]func(t *testing.T, one, other *khufu.Factory){
		"a session opens in the next request":         opensInTheNextRequest,
		"a store keeps the lifetime":                  keepsTheLifetime,
		"concurrent requests keep all changes":        concurrentRequestsKeepAllChanges,
		"concurrent additions add up":                 concurrentAdditionsAddUp,
		"concurrent goroutines lose no changes":       concurrentGoroutinesLoseNoChanges,
		"a logout is final":                           aLogoutIsFinal,
		"a new id replaces the old one":               aNewIDReplacesTheOldOne,
		"a transaction starts over":                   aTransactionStartsOver,
		"a subject's sessions are listed and revoked": aSubjectsSessionsAreListedAndRevoked,
		"a session tells its subject":                 aSessionTellsItsSubject,
	} {
		t.Run(name, func(t *testing.T) { test(t, one, other) })
	}
}

func opensInTheNextRequest(t *testing.T, one, other *khufu.Factory) {
	b, large := browser{t: t}, strings.Repeat("x", 100_000)
	b.visit(one, func(s *khufu.Session) error { return s.Update(map[string]any{"user": "Zoë", "large": large}) })
	if len(b.cookie) != len("session=")+86 {
		t.Errorf("the cookie has %d bytes", len(b.cookie))
	}
	later := khufu.At(now.Add(time.Second))
	b.wantResult(other, khufu.Loaded, later)
	session := b.open(other, later)
	user, err := session.GetString("user")
	if found, _ := session.GetString("large"); err != nil || user != "Zoë" || found != large {
		t.Errorf("the user is %q, %v; %d bytes", user, err, len(found))
	}
	id, err := session.ID()
	if err != nil || len(id) != 64 || strings.Contains(b.cookie, id) {
		t.Errorf("the id is %q, %v", id, err)
	}
	if b.commit(session) {
		t.Error("the browser has the cookie already")
	}
	b.wantResult(one, khufu.LoadExpired, khufu.At(now.Add(time.Hour)))
}

func keepsTheLifetime(t *testing.T, one, other *khufu.Factory) {
	b := browser{t: t}
	session := b.open(one)
	if err := errors.Join(session.Set("user", 42), session.SetLifetime(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	header, err := session.Commit()
	if err != nil || !b.keep(header) || !strings.Contains(header.Get("Set-Cookie"), "; Max-Age=7200;") {
		t.Fatalf("%q, %v", header, err)
	}
	b.wantResult(other, khufu.Loaded, khufu.At(now.Add(2*time.Hour)))
	b.wantResult(other, khufu.LoadExpired, khufu.At(now.Add(2*time.Hour+time.Second)))
}

func concurrentRequestsKeepAllChanges(t *testing.T, one, other *khufu.Factory) {
	b := browser{t: t}
	b.visit(one, func(s *khufu.Session) error { return s.Set("gone", 1) })
	first, second := b.open(one), b.open(other)
	err := errors.Join(first.Set("one", 1), first.Flash("from one"),
		second.Set("other", 2), second.Flash("from other"), second.Delete("gone"))
	if err != nil {
		t.Fatal(err)
	}
	b.commit(first)
	b.commit(second)
	b.wantState(one, `{"one":1,"_f_":["from one","from other"],"other":2}`)
}

func concurrentAdditionsAddUp(t *testing.T, one, other *khufu.Factory) {
	b := browser{t: t}
	b.visit(one, func(s *khufu.Session) error { return s.Set("visits", 1) })
	var sessions []*khufu.Session
	for i, factory := range []*khufu.Factory{one, other, one, other} {
		session := b.open(factory)
		sum, err := session.Increment("visits", int64(i))
		if err = errors.Join(err, session.Append("pages", strconv.Itoa(i))); err != nil || sum != int64(1+i) {
			t.Fatalf("%d, %v", sum, err)
		}
		sessions = append(sessions, session)
	}
	for _, session := range sessions {
		b.commit(session)
	}
	b.wantState(one, `{"visits":7,"pages":["0","1","2","3"]}`)
}

func concurrentGoroutinesLoseNoChanges(t *testing.T, one, other *khufu.Factory) {
	b := browser{t: t}
	b.visit(one, func(s *khufu.Session) error { return s.MarkChanged() })
	var group sync.WaitGroup
	for worker, factory := range []*khufu.Factory{one, other, one, other} {
		group.Add(1)
		go func() {
			defer group.Done()
			for visit := range 25 {
				session, err := factory.Open(b.cookie, khufu.At(now))
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
	if keys := b.open(other).Len(); keys != 100 {
		t.Errorf("the session has %d keys", keys)
	}
}

func aLogoutIsFinal(t *testing.T, one, other *khufu.Factory) {
	b := browser{t: t}
	b.visit(one, func(s *khufu.Session) error { return s.Set("user", 1) })
	old := b.cookie
	slow := b.open(other)
	if err := slow.Set("seen", true); err != nil {
		t.Fatal(err)
	}
	b.visit(one, func(s *khufu.Session) error { return s.Invalidate() })
	if b.cookie != "session=" {
		t.Error("the browser still has a cookie")
	}
	b.wantGone(slow)
	if state, err := slow.ToJSON(); err != nil || string(state) != `{"user":1,"seen":true}` {
		t.Errorf("the slow request reads %s, %v", state, err)
	}

	b.cookie = old
	b.wantResult(other, khufu.LoadMissing)
	if sets := b.visit(other, func(s *khufu.Session) error { return s.Set("a", 1) }); !sets || b.cookie == old {
		t.Error("the next session has no cookie of its own")
	}
}

func aNewIDReplacesTheOldOne(t *testing.T, one, other *khufu.Factory) {
	b := browser{t: t}
	b.visit(one, func(s *khufu.Session) error { return s.Set("cart", 1) })
	planted := browser{t, b.cookie}
	login, late := b.open(one), b.open(other)
	before, _ := login.ID()
	if err := errors.Join(login.Set("user", 42), login.RegenerateID()); err != nil {
		t.Fatal(err)
	}
	b.commit(login)
	if after, err := login.ID(); err != nil || b.cookie == planted.cookie || before == "" || after != before {
		t.Errorf("the session is %q and then %q, %v", before, after, err)
	}
	b.wantState(other, `{"cart":1,"user":42}`)
	planted.wantState(other, `{"cart":1}`)
	for _, session := range []*khufu.Session{planted.open(one), late} {
		if err := session.Set("x", 1); err != nil {
			t.Fatal(err)
		}
		b.wantGone(session)
	}
	logout := planted
	logout.visit(other, func(s *khufu.Session) error { return s.Invalidate() })
	b.wantResult(one, khufu.LoadMissing)
	planted.wantResult(one, khufu.LoadMissing)
}

func aTransactionStartsOver(t *testing.T, one, other *khufu.Factory) {
	b := browser{t: t}
	setPages := func(pages any) func(*khufu.Session) error {
		return func(s *khufu.Session) error { return s.Set("pages", pages) }
	}
	// Transact has the clock's time, and so must the other requests.
	header, request := http.Header{}, httptest.NewRequest("GET", "/", nil)
	if err := one.Transact(header, request, setPages([]int{1})); err != nil {
		t.Fatal(err)
	}
	b.keep(header)
	request.Header.Set("Cookie", b.cookie)

	header, calls := http.Header{"Vary": {"Accept"}}, 0
	err := one.Transact(header, request, func(session *khufu.Session) error {
		if calls++; calls == 1 {
			return errors.Join(session.Append("pages", 2), other.Transact(http.Header{}, request, setPages("none")))
		}
		pages, err := session.GetString("pages")
		if err != nil || pages != "none" {
			t.Errorf("the second call reads %q, %v", pages, err)
		}
		return session.Set("pages", []int{2})
	})
	if err != nil || calls != 2 || strings.Join(header["Vary"], ", ") != "Accept, Cookie" {
		t.Errorf("%d calls, %v, %q", calls, err, header)
	}
	session := b.open(other, khufu.At(time.Now()))
	if state, err := session.ToJSON(); err != nil || string(state) != `{"pages":[2]}` {
		t.Errorf("the state is %s, %v", state, err)
	}
}
