package khufu_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

func TestSetCookieAttributes(t *testing.T) {
	for name, row := range map[string]struct {
		options    khufu.Options
		attributes string
	}{
		"defaults": {khufu.Options{}, "session; Path=/; SameSite=Lax"},
		"all": {khufu.Options{CookieName: "sid", Path: "/app", Domain: "example.com", Secure: true, HTTPOnly: true, SameSite: http.SameSiteStrictMode},
			"sid; Domain=example.com; Path=/app; secure; HttpOnly; SameSite=Strict"},
		"max age":                  {khufu.Options{MaxAge: time.Hour}, "session; Max-Age=3600; Path=/; expires=Tue, 14 Nov 2023 23:14:20 GMT; SameSite=Lax"},
		"lax":                      {khufu.Options{SameSite: http.SameSiteLaxMode}, "session; Path=/; SameSite=Lax"},
		"none":                     {khufu.Options{SameSite: http.SameSiteNoneMode, Secure: true}, "session; Path=/; secure; SameSite=None"},
		"partitioned":              {khufu.Options{Secure: true, Partitioned: true}, "session; Path=/; secure; SameSite=Lax; Partitioned"},
		"no same site":             {khufu.Options{SameSite: http.SameSiteDefaultMode}, "session; Path=/"},
		"settings":                 {khufu.Options{Settings: []khufu.Setting{{"path", ""}, {"max_age", "0"}, {"samesite", ""}}}, "session; Max-Age=0; expires=Tue, 14 Nov 2023 22:14:20 GMT"},
		"settings override fields": {khufu.Options{Path: "/app", Settings: []khufu.Setting{{"path", "/"}}}, "session; Path=/; SameSite=Lax"},
	} {
		t.Run(name, func(t *testing.T) {
			session := openAt(t, newFactory(t, row.options), "", now)
			set(t, session, "a", 1)
			values := setCookies(t, session)
			if len(values) != 1 {
				t.Fatalf("%q", values)
			}
			name, rest, _ := strings.Cut(values[0], "=")
			wantEqual(t, "the cookie", name+rest[strings.Index(rest, ";"):], row.attributes)
		})
	}
}

func TestNetHTTPParsesTheCookie(t *testing.T) {
	session := openAt(t, newFactory(t, khufu.Options{MaxAge: time.Hour, HTTPOnly: true, Secure: true}), "", now)
	set(t, session, "a", 1)
	cookie, err := http.ParseSetCookie(setCookies(t, session)[0])
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "the name", cookie.Name, "session")
	wantEqual(t, "the age", cookie.MaxAge, 3600)
	wantEqual(t, "the expiry", cookie.Expires, now.Add(time.Hour).UTC())
	wantEqual(t, "whether the attributes are right", cookie.HttpOnly && cookie.Secure && cookie.SameSite == http.SameSiteLaxMode, true)
}

func TestCommittingTwice(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	session := openAt(t, factory, "", now)
	wantEqual(t, "the cookie of an empty session", commit(t, session), "")
	set(t, session, "a", 1)
	first := commit(t, session)
	wantEqual(t, "the cookie without a change", commit(t, session), first)
	set(t, session, "a", 2)
	second := commit(t, session)
	wantEqual(t, "the first state", toJSON(t, openAt(t, factory, first, now)), `{"a":1}`)
	wantEqual(t, "the second state", toJSON(t, openAt(t, factory, second, now)), `{"a":2}`)
}

func TestATooLargeSessionKeepsItsData(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	session := openAt(t, factory, signed(genuine), now)
	set(t, session, "large", strings.Repeat("x", 4000))
	header := http.Header{"A": {"b"}}
	err := session.CommitTo(header)
	wantError(t, err, khufu.ErrTooLarge)
	if !strings.Contains(err.Error(), "4064") {
		t.Errorf("%v does not name the limit", err)
	}
	wantEqual(t, "the number of cookies", len(header["Set-Cookie"]), 0)
	wantEqual(t, "changed", session.IsChanged(), true)
	wantEqual(t, "the length", session.Len(), 2)

	session.Delete("large")
	wantEqual(t, "the state", toJSON(t, openAt(t, factory, commit(t, session), now)), `{"user":"ada"}`)
}

func TestOnException(t *testing.T) {
	for _, off := range []bool{false, true} {
		session := openAt(t, newFactory(t, khufu.Options{NoSetOnException: off}), "", now)
		set(t, session, "a", 1)
		wantEqual(t, "whether there is a cookie", commit(t, session, khufu.OnException) != "", !off)
		if off && commit(t, session) == "" {
			t.Error("a commit without OnException sets no cookie")
		}
	}
	_, err := newSession(t).Commit(khufu.CommitOption(1 << 31))
	wantError(t, err, khufu.ErrArgument)
}

func TestInvalidateTakesEffectOnException(t *testing.T) {
	session := openAt(t, newFactory(t, khufu.Options{NoSetOnException: true}), signed(genuine), now)
	if err := session.Invalidate(); err != nil {
		t.Fatal(err)
	}
	set(t, session, "a", 1)
	if cookie := commit(t, session, khufu.OnException); !strings.HasPrefix(cookie, "session=;") && cookie != "session=" {
		t.Errorf("the browser keeps its cookie: %q", cookie)
	}
	wantEqual(t, "the length", session.Len(), 0)
}

func TestALogoutWithADomain(t *testing.T) {
	session := openAt(t, newFactory(t, khufu.Options{Domain: "example.com"}), signed(genuine), now)
	if err := session.Invalidate(); err != nil {
		t.Fatal(err)
	}
	values := setCookies(t, session)
	if len(values) != 2 {
		t.Fatalf("%q", values)
	}
	wantEqual(t, "whether the first has the domain", strings.HasPrefix(values[0], "session=; Domain=example.com; Max-Age=0;"), true)
	wantEqual(t, "whether the second has no domain", strings.HasPrefix(values[1], "session=; Max-Age=0;"), true)
}

func TestHeaders(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	for name, row := range map[string]struct {
		use          func(*khufu.Session)
		cookies      int
		vary         string
		cacheControl string
	}{
		"untouched": {use: func(*khufu.Session) {}},
		"read":      {func(s *khufu.Session) { s.Contains("a") }, 0, "Cookie", "private"},
		"written":   {func(s *khufu.Session) { s.Set("a", 1) }, 1, "Cookie", "private"},
		"ended":     {func(s *khufu.Session) { s.Invalidate() }, 1, "Cookie", "no-store"},
	} {
		t.Run(name, func(t *testing.T) {
			session := openAt(t, factory, signed(genuine), time.Unix(1700000000, 0))
			row.use(session)
			header, err := session.Commit()
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, "the number of cookies", len(header["Set-Cookie"]), row.cookies)
			wantEqual(t, "Vary", header.Get("Vary"), row.vary)
			wantEqual(t, "Cache-Control", header.Get("Cache-Control"), row.cacheControl)
		})
	}
}

func TestPrintingASessionShowsNoCookie(t *testing.T) {
	session := newSession(t)
	set(t, session, "a", 1)
	cookie := commit(t, session)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(verb, session); strings.Contains(text, cookie[len("session="):][:40]) {
			t.Errorf("%s shows the cookie", verb)
		}
	}
}

func TestABrowserKeepsItsSession(t *testing.T) {
	factory := newFactory(t, khufu.Options{HTTPOnly: true})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := factory.OpenRequest(r)
		if err != nil {
			t.Error(err)
			return
		}
		defer session.Close()
		visits, err := khufu.Get[int](session, "visits")
		if err != nil && !errors.Is(err, khufu.ErrNotFound) {
			t.Error(err)
		}
		session.Set("visits", visits+1)
		if err := session.CommitTo(w.Header()); err != nil {
			t.Error(err)
		}
		json.NewEncoder(w).Encode(visits + 1)
	}))
	defer server.Close()

	var cookies []*http.Cookie
	for wanted := 1; wanted <= 3; wanted++ {
		request, _ := http.NewRequest("GET", server.URL, nil)
		for _, cookie := range cookies {
			request.AddCookie(cookie)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var visits int
		json.NewDecoder(response.Body).Decode(&visits)
		response.Body.Close()
		wantEqual(t, "the number of visits", visits, wanted)
		wantEqual(t, "Vary", response.Header.Get("Vary"), "Cookie")
		cookies = response.Cookies()
	}
}
