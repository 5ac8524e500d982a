package khufu_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
)

// lines are a header's values, one a line.
func lines(header http.Header, name string) string { return strings.Join(header[name], "\n") }

func TestHeadersAreMerged(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	write := func(s *khufu.Session) { s.Set("a", 1) }
	end := func(s *khufu.Session) { s.Invalidate() }
	for name, row := range map[string]struct {
		use                            func(*khufu.Session)
		vary, cacheControl             []string
		wantedVary, wantedCacheControl string
	}{
		"no headers":              {write, nil, nil, "Cookie", "private"},
		"other values":            {write, []string{"Accept"}, []string{"max-age=60"}, "Accept\nCookie", "max-age=60\nprivate"},
		"same values":             {write, []string{"Accept, cookie"}, []string{"max-age=60, Private"}, "Accept, cookie", "max-age=60, Private"},
		"stronger values":         {write, []string{"*"}, []string{"no-cache", "no-store"}, "*", "no-cache\nno-store"},
		"similar values":          {write, []string{"X-Cookie"}, []string{`private="x"`}, "X-Cookie\nCookie", "private=\"x\"\nprivate"},
		"shared caches":           {write, nil, []string{"Public, max-age=60, s-maxage=600"}, "Cookie", "max-age=60\nprivate"},
		"shared caches alone":     {write, nil, []string{"public", "S-MaxAge = 60"}, "Cookie", "private"},
		"commas in quotes":        {write, nil, []string{`no-cache="a, public, \", private"`}, "Cookie", `no-cache="a, public, \", private"` + "\nprivate"},
		"empty values":            {write, []string{""}, []string{""}, "\nCookie", "private"},
		"ended":                   {end, nil, nil, "Cookie", "no-store"},
		"ended, but private":      {end, nil, []string{"private"}, "Cookie", "private\nno-store"},
		"ended, but public":       {end, nil, []string{"public, max-age=60"}, "Cookie", "max-age=60\nno-store"},
		"ended, and not to store": {end, nil, []string{"No-Store"}, "Cookie", "No-Store"},
		"untouched":               {func(*khufu.Session) {}, nil, []string{"public, max-age=60"}, "", "public, max-age=60"},
	} {
		t.Run(name, func(t *testing.T) {
			session := openAt(t, factory, signed(genuine), now)
			row.use(session)
			header := http.Header{"Set-Cookie": {"b=c"}, "X-Other": {"d"}}
			if row.vary != nil {
				header["Vary"] = row.vary
			}
			if row.cacheControl != nil {
				header["Cache-Control"] = slices.Clone(row.cacheControl)
			}
			if err := session.CommitTo(header); err != nil {
				t.Fatal(err)
			}
			wantEqual(t, "the first cookie", header["Set-Cookie"][0], "b=c")
			wantEqual(t, "whether the session's cookie is sent", len(header["Set-Cookie"]) == 2, name != "untouched")
			wantEqual(t, "Vary", lines(header, "Vary"), row.wantedVary)
			wantEqual(t, "Cache-Control", lines(header, "Cache-Control"), row.wantedCacheControl)
			wantEqual(t, "another header", lines(header, "X-Other"), "d")
		})
	}

	header := http.Header{}
	if err := openAt(t, factory, signed(genuine), now).CommitTo(header); err != nil || len(header) != 0 {
		t.Errorf("an untouched session sets the headers %v, %v", header, err)
	}
}

func TestRepeatedCommitsSendOneCookie(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	session, other := openAt(t, factory, "", now), openAt(t, factory, "", now)
	header := http.Header{"Set-Cookie": {"theme=dark", "session=another; Path=/app"}, "Vary": {"Accept"}}
	set(t, other, "other", 1)
	commitTo := func(session *khufu.Session) {
		t.Helper()
		if err := session.CommitTo(header); err != nil {
			t.Fatal(err)
		}
	}
	commitTo(other)
	others := slices.Clone(header["Set-Cookie"])
	for round, change := range []func(){
		func() { set(t, session, "a", 1) }, func() {}, func() { set(t, session, "b", 2) }, func() { session.Invalidate() }, func() { set(t, session, "c", 3) },
	} {
		change()
		commitTo(session)
		cookies := header["Set-Cookie"]
		if len(cookies) != len(others)+1 || !slices.Equal(cookies[:len(others)], others) {
			t.Fatalf("round %d: %q", round, cookies)
		}
		wantEqual(t, "Vary", lines(header, "Vary"), "Accept\nCookie")
	}
	wantEqual(t, "Cache-Control", lines(header, "Cache-Control"), "private\nno-store")
	last := cookieOf(header["Set-Cookie"][len(others)])
	wantEqual(t, "the state", toJSON(t, openAt(t, factory, last, now)), `{"c":3}`)
}

func TestACookieAddedByHandIsReplaced(t *testing.T) {
	session := newSession(t)
	set(t, session, "a", 1)
	values := setCookies(t, session)
	header := http.Header{"Set-Cookie": append(values[:1:1], "theme=dark")}
	copied := header.Clone()
	set(t, session, "a", 2)
	for range 2 {
		if err := session.CommitTo(header); err != nil {
			t.Fatal(err)
		}
	}
	if cookies := header["Set-Cookie"]; len(cookies) != 2 || cookies[0] != "theme=dark" || cookies[1] == values[0] {
		t.Errorf("%q", cookies)
	}
	set(t, session, "large", strings.Repeat("x", 5000))
	wantError(t, session.CommitTo(copied), khufu.ErrTooLarge)
	if cookies := copied["Set-Cookie"]; len(cookies) != 2 || cookies[1] != header["Set-Cookie"][1] {
		t.Errorf("after an error: %q", cookies)
	}
}

// A logout must reach the browser even if the store fails.
func TestALogoutIsSentAlthoughTheStoreFails(t *testing.T) {
	store := new(brokenStore)
	factory := newFactory(t, khufu.Options{CustomStore: store})
	session := openAt(t, factory, begin(t, factory, map[string]any{"user": 1}), now)
	if err := session.Invalidate(); err != nil {
		t.Fatal(err)
	}
	store.remove = func() error { return errors.New("unplugged") }
	header := http.Header{}
	wantError(t, session.CommitTo(header), khufu.ErrStore)
	wantEqual(t, "the cookie", cookieOf(header["Set-Cookie"]...), "session=")
	wantEqual(t, "Cache-Control", lines(header, "Cache-Control"), "no-store")
}

// A response must not send the cookie of a session that ended meanwhile.
func TestTheCookieOfAnEndedSessionIsTakenBack(t *testing.T) {
	factory := newFactory(t, khufu.Options{Type: khufu.Stored})
	session := openAt(t, factory, "", now)
	set(t, session, "a", 1)
	header := http.Header{}
	if err := session.CommitTo(header); err != nil {
		t.Fatal(err)
	}
	logout := openAt(t, factory, cookieOf(header["Set-Cookie"]...), now)
	logout.Invalidate()
	commit(t, logout)
	set(t, session, "a", 2)
	wantError(t, session.CommitTo(header), khufu.ErrGone)
	wantEqual(t, "the number of cookies", len(header["Set-Cookie"]), 0)

	session.Close()
	header.Set("Set-Cookie", "theme=dark")
	wantError(t, session.CommitTo(header), khufu.ErrClosed)
	wantEqual(t, "the cookies after Close", lines(header, "Set-Cookie"), "theme=dark")
}
