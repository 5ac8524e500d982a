package gorilla_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"
	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/gorilla"
	"github.com/khufu/khufu/bindings/go/internal/storedriver"
)

const name = "shop"

var stored = khufu.Options{Type: khufu.Stored}

// A browser keeps the cookies of one visitor, and makes requests to one store.
type browser struct {
	*testing.T
	store   *gorilla.Store
	factory *khufu.Factory
	cookies map[string]string
}

func newBrowser(t *testing.T, options khufu.Options) *browser {
	t.Helper()
	factory := storedriver.NewFactory(t, options)
	return &browser{t, gorilla.NewStore(factory), factory, map[string]string{}}
}

func (b *browser) request() *http.Request {
	request := httptest.NewRequest("GET", "/", nil)
	for name, value := range b.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return request
}

// get opens the session of a new request.
func (b *browser) get() (*sessions.Session, *http.Request) {
	b.Helper()
	request := b.request()
	session, err := b.store.Get(request, name)
	if err != nil {
		b.Fatal(err)
	}
	return session, request
}

// save saves a session, and returns the response's headers.
func (b *browser) save(session *sessions.Session, request *http.Request) http.Header {
	b.Helper()
	response := httptest.NewRecorder()
	if err := session.Save(request, response); err != nil {
		b.Fatal(err)
	}
	for _, cookie := range response.Result().Cookies() {
		b.cookies[cookie.Name] = cookie.Value
	}
	return response.Header()
}

// visit makes a request that uses the session and saves it, and returns the response's headers.
func (b *browser) visit(use func(*sessions.Session)) http.Header {
	b.Helper()
	session, request := b.get()
	use(session)
	return b.save(session, request)
}

func (b *browser) set(key, value any) http.Header {
	b.Helper()
	return b.visit(func(s *sessions.Session) { s.Values[key] = value })
}

// wantError checks that a session cannot be saved, that the response has no cookie, and that the
// error has this status and contains the words.
func (b *browser) wantError(session *sessions.Session, request *http.Request, status error, words string) {
	b.Helper()
	response := httptest.NewRecorder()
	err := session.Save(request, response)
	if !errors.Is(err, status) || !strings.Contains(err.Error(), words) {
		b.Errorf("the error is %v, not %v with %q", err, status, words)
	}
	if header := response.Header(); header["Set-Cookie"] != nil {
		b.Errorf("a failed save sets %q", header)
	}
}

// wantValues compares the values that the next request sees.
func (b *browser) wantValues(wanted map[any]any) {
	b.Helper()
	if session, _ := b.get(); !reflect.DeepEqual(session.Values, wanted) {
		b.Errorf("the values are %#v, not %#v", session.Values, wanted)
	}
}

// in opens the session as an application with khufu does.
func (b *browser) in(use func(*khufu.Session)) {
	b.Helper()
	session, err := b.factory.OpenValue(b.Context(), b.cookies[name])
	if err != nil {
		b.Fatal(err)
	}
	defer session.Close()
	use(session)
	if _, err := session.Commit(); err != nil {
		b.Fatal(err)
	}
	if b.cookies[name], err = session.Value(); err != nil {
		b.Fatal(err)
	}
}

func onEachType(t *testing.T, test func(*browser)) {
	for name, options := range map[string]khufu.Options{"cookie": {}, "stored": stored} {
		t.Run(name, func(t *testing.T) { test(newBrowser(t, options)) })
	}
}

func TestValuesComeBack(t *testing.T) {
	onEachType(t, func(b *browser) {
		huge := json.Number("1180591620717411303424")
		for i, row := range []struct{ saved, wanted any }{
			{nil, nil}, {true, true}, {"Zoë <b>", "Zoë <b>"}, {1.0, 1.0}, {1e300, 1e300}, {-2.5, -2.5},
			{7, int64(7)}, {int8(-7), int64(-7)}, {int16(7), int64(7)}, {int32(7), int64(7)},
			{int64(math.MinInt64), int64(math.MinInt64)}, {uint64(math.MaxInt64), int64(math.MaxInt64)},
			{uint(7), int64(7)}, {uint8(7), int64(7)}, {uint16(7), int64(7)}, {uint32(7), int64(7)},
			{huge, huge}, {json.Number("1"), int64(1)}, {json.Number("1.5"), 1.5},
			{[]any{}, []any{}}, {[]any(nil), []any{}}, {map[string]any(nil), map[string]any{}},
			{[]any{1, 1.0, []any{nil}}, []any{int64(1), 1.0, []any{nil}}},
			{map[string]any{"a": 1, "b": map[string]any{}}, map[string]any{"a": int64(1), "b": map[string]any{}}},
		} {
			key := fmt.Sprint("key ", i)
			b.set(key, row.saved)
			if session, _ := b.get(); !reflect.DeepEqual(session.Values[key], row.wanted) {
				b.Errorf("%#v came back as %#v", row.saved, session.Values[key])
			}
		}
	})
}

func TestOtherValuesAreErrorsThatNameTheKeyAndChangeNothing(t *testing.T) {
	type role string
	cycle := []any{nil}
	cycle[0] = cycle
	onEachType(t, func(b *browser) {
		b.set("kept", 1)
		for _, row := range []struct {
			key, value any
			words      string
		}{
			{"cart", struct{ A int }{1}, "the key cart"},
			{"cart", []string{"a"}, "a []string"},
			{"cart", map[string]string{}, "a map[string]string"},
			{"cart", map[any]any{}, "a map[interface {}]interface {}"},
			{"cart", []any{1, map[string]any{"a": make(chan int)}}, "a chan int"},
			{"cart", func() {}, "the key cart"},
			{"cart", time.Time{}, "a time.Time"},
			{"cart", role("admin"), "role"},
			{"cart", float32(1), "a float32"},
			{"cart", []byte("a"), "a []uint8"},
			{"cart", math.NaN(), "finite"},
			{"cart", math.Inf(1), "finite"},
			{"cart", uint64(math.MaxUint64), "int64"},
			{"cart", json.Number("one"), "json.Number"},
			{"cart", json.Number(""), "json.Number"},
			{"cart", json.Number(strings.Repeat("1", 4301)), "4,300"},
			{"cart", "\xff", "UTF-8"},
			{"cart", map[string]any{"\xff": 1}, "UTF-8"},
			{"cart", cycle, "nested"},
			{"\xff", 1, "UTF-8"},
			{7, 1, "the key 7"},
			{role("a"), 1, "the key a"},
			{"_flash", "no list", "the key _flash"},
			{"_f_", []any{}, "AddFlash"},
		} {
			session, request := b.get()
			session.Values["other"] = 1
			delete(session.Values, "kept")
			session.Values[row.key] = row.value
			b.wantError(session, request, khufu.ErrType, row.words)
			b.wantValues(map[any]any{"kept": int64(1)})
			// The session is still usable, and none of its changes is lost.
			session.Values["kept"] = int64(1)
			delete(session.Values, row.key)
			delete(session.Values, "other")
			b.save(session, request)
			b.wantValues(map[any]any{"kept": int64(1)})
		}
	})
}

func TestFlashMessagesAreThoseOfPyramid(t *testing.T) {
	onEachType(t, func(b *browser) {
		b.visit(func(s *sessions.Session) { s.AddFlash("saved"); s.AddFlash(int64(2)); s.AddFlash("ouch", "errors") })
		b.in(func(s *khufu.Session) {
			var messages []any
			if err := s.PopFlash("", &messages); err != nil || !reflect.DeepEqual(messages, []any{"saved", 2.0}) {
				b.Errorf("%v, %v", messages, err)
			}
			if err := errors.Join(s.Flash("from Pyramid"), s.Flash("hidden", khufu.Queue("q"))); err != nil {
				b.Error(err)
			}
		})
		b.wantValues(map[any]any{"_flash": []any{"from Pyramid"}, "errors": []any{"ouch"}, "_f_q": []any{"hidden"}})
		b.visit(func(s *sessions.Session) {
			if messages := s.Flashes(); !slices.Equal(messages, []any{"from Pyramid"}) {
				b.Errorf("the flash messages are %v", messages)
			}
			s.AddFlash("next")
		})
		b.wantValues(map[any]any{"_flash": []any{"next"}, "errors": []any{"ouch"}, "_f_q": []any{"hidden"}})
	})
}

func TestASessionOfPyramidOpens(t *testing.T) {
	var vectors struct {
		Cases []struct{ Name, Cookie, HashAlg string }
	}
	text, err := os.ReadFile("../../../tests/vectors/pyramid_signed_json.json")
	if err == nil {
		err = json.Unmarshal(text, &vectors)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, khufu.Options{Timeout: -1})
	for _, c := range vectors.Cases {
		if c.Name == "flash" && c.HashAlg == "sha512" {
			b.cookies[name] = strings.TrimPrefix(c.Cookie, "session=")
		}
	}
	b.wantValues(map[any]any{
		"_flash": []any{"one", "two"}, "n": nil,
		"_f_error": []any{map[string]any{"code": int64(500), "text": "it <broke>"}},
	})
}

// Numbers that Go would write in another way stay as they are.
func TestWhatWasNotChangedIsNotWritten(t *testing.T) {
	onEachType(t, func(b *browser) {
		b.in(func(s *khufu.Session) {
			err := s.Update(json.RawMessage(`{"float": 1.10, "large": 1180591620717411303424, "_flash": 1, "list": [1e2]}`))
			if err != nil {
				b.Fatal(err)
			}
		})
		b.set("list", []any{100.0, true})
		b.in(func(s *khufu.Session) {
			state, err := s.ToJSON()
			wanted := `{"float":1.10,"large":1180591620717411303424,"_flash":1,"list":[1e2,true]}`
			if err != nil || string(state) != wanted {
				b.Errorf("the state is %s, %v, not %s", state, err, wanted)
			}
		})
	})
}

func TestFlashMessagesThatAreNoListStay(t *testing.T) {
	onEachType(t, func(b *browser) {
		b.in(func(s *khufu.Session) { s.Set("_f_", "not a list") })
		b.wantValues(map[any]any{})
		session, request := b.get()
		session.AddFlash("lost?")
		session.Values["a"] = 1
		b.wantError(session, request, khufu.ErrType, "_f_")
		session.Flashes()
		delete(session.Values, "a")
		b.save(session, request)
		b.in(func(s *khufu.Session) {
			if state, _ := s.ToJSON(); string(state) != `{"_f_":"not a list"}` {
				b.Errorf("the state is %s", state)
			}
		})
	})
}

func TestConcurrentRequestsKeepEachOthersChanges(t *testing.T) {
	b := newBrowser(t, stored)
	b.visit(func(s *sessions.Session) {
		s.Values["gone"], s.Values["untouched"], s.Values["cart"] = 1, 1, []any{"A"}
		s.AddFlash("welcome")
	})
	one, oneRequest := b.get()
	other, otherRequest := b.get()
	one.Values["one"], one.Values["cart"] = 1, append(one.Values["cart"].([]any), "B")
	one.Flashes()
	one.AddFlash("from one")
	other.Values["other"], other.Values["cart"] = 2, append(other.Values["cart"].([]any), "C")
	other.AddFlash("from other")
	delete(other.Values, "gone")
	b.save(one, oneRequest)
	b.save(other, otherRequest)
	merged := map[any]any{
		"untouched": int64(1), "one": int64(1), "other": int64(2), "cart": []any{"A", "B", "C"},
		"_flash": []any{"from one", "from other"},
	}
	b.wantValues(merged)

	// Another save of the same request changes only what it has changed since.
	one.Values["untouched"] = 2
	b.save(one, oneRequest)
	merged["untouched"] = int64(2)
	b.wantValues(merged)
}

func TestALogoutEndsTheSession(t *testing.T) {
	onEachType(t, func(b *browser) {
		b.set("user", 42)
		old := b.cookies[name]
		slow, slowRequest := b.get()
		slow.Values["seen"] = true
		header := b.visit(func(s *sessions.Session) { s.Options.MaxAge = -1 })
		cookie := header.Get("Set-Cookie")
		if !strings.HasPrefix(cookie, "shop=; ") || !strings.Contains(cookie, "Max-Age=0") {
			b.Errorf("the cookie is %q", cookie)
		}
		if header.Get("Cache-Control") != "no-store" {
			b.Errorf("the headers are %q", header)
		}
		if slow.ID != "" { // in a store
			b.wantError(slow, slowRequest, khufu.ErrGone, "ended")
			b.cookies[name] = old
			b.wantValues(map[any]any{})
		}
	})
}

func TestACookieHasTheSessionsOptions(t *testing.T) {
	b := newBrowser(t, stored)
	wantCookie := func(header http.Header, wanted string) {
		t.Helper()
		_, attributes, _ := strings.Cut(strings.Join(header["Set-Cookie"], "\n"), "; ")
		if i := strings.Index(attributes, "Expires="); i >= 0 {
			end := strings.Index(attributes[i:], "GMT")
			attributes = attributes[:i] + "Expires" + attributes[i+end+3:]
		}
		if attributes != wanted {
			t.Errorf("the cookie has %q, not %q", attributes, wanted)
		}
	}
	wantCookie(b.set("a", 1), "Path=/; HttpOnly; SameSite=Lax")
	wantCookie(b.set("a", 2), "") // the browser has it
	strict := func(s *sessions.Session) {
		s.Options = &sessions.Options{Path: "/shop", MaxAge: 60, Secure: true, SameSite: http.SameSiteStrictMode}
	}
	wantCookie(b.visit(strict), "Path=/shop; Expires; Max-Age=60; Secure; SameSite=Strict")
	b.store.Options = &sessions.Options{Domain: "example.org", MaxAge: 60}
	wantCookie(b.visit(func(*sessions.Session) {}), "Domain=example.org; Expires; Max-Age=60")
}

func TestABadCookieIsNotAnError(t *testing.T) {
	b := newBrowser(t, khufu.Options{})
	b.set("a", 1)
	good := b.cookies[name]
	for _, bad := range []string{"", "x", good[:len(good)-4], "AAAA" + good[4:]} {
		b.cookies[name] = bad
		session, _ := b.get()
		if !session.IsNew || len(session.Values) != 0 {
			t.Errorf("%q opens a session with %v", bad, session.Values)
		}
	}
	// If several cookies can be opened, the last one counts.
	request := httptest.NewRequest("GET", "/", nil)
	request.Header.Set("Cookie", "shop=x; shop="+good+"; shop=y; shop=z; other=a")
	session, err := b.store.Get(request, name)
	if err != nil || session.IsNew || session.Values["a"] != int64(1) {
		t.Errorf("%v, %v", session.Values, err)
	}
	request.Header.Set("Cookie", "shop="+good+strings.Repeat("; shop=x", 8))
	if session, _ := b.store.New(request, name); !session.IsNew {
		t.Error("more than eight cookies were tried")
	}
}

func TestSessionsOfDifferentNamesAreSavedTogether(t *testing.T) {
	b := newBrowser(t, stored)
	request, response := b.request(), httptest.NewRecorder()
	for _, name := range []string{"a", "b"} {
		session, err := b.store.Get(request, name)
		if again, _ := b.store.Get(request, name); err != nil || again != session {
			t.Fatal("Get opens a session again", err)
		}
		session.Values["name"] = name
	}
	response.Header().Set("Vary", "Accept")
	if err := errors.Join(sessions.Save(request, response), sessions.Save(request, response)); err != nil {
		t.Fatal(err)
	}
	header := response.Header()
	if len(header["Set-Cookie"]) != 2 || !slices.Equal(header["Vary"], []string{"Accept", "Cookie"}) ||
		!slices.Equal(header["Cache-Control"], []string{"private"}) {
		t.Errorf("the headers are %q", header)
	}
	next := httptest.NewRequest("GET", "/", nil)
	for _, cookie := range response.Result().Cookies() {
		next.AddCookie(cookie)
	}
	for _, name := range []string{"a", "b"} {
		if session, err := b.store.Get(next, name); err != nil || session.Values["name"] != name || len(session.ID) != 64 {
			t.Errorf("%s: %v, %v", name, session.Values, err)
		}
	}
}

func TestASecondSaveReplacesTheCookie(t *testing.T) {
	b := newBrowser(t, khufu.Options{})
	session, request := b.get()
	response := httptest.NewRecorder()
	http.SetCookie(response, &http.Cookie{Name: "other", Value: "stays"})
	for number := range 3 {
		session.Values["number"] = number
		if err := session.Save(request, response); err != nil {
			t.Fatal(err)
		}
	}
	cookies := response.Result().Cookies()
	if len(cookies) != 2 || cookies[0].Name != "other" {
		t.Fatalf("the cookies are %v", cookies)
	}
	b.cookies[name] = cookies[1].Value
	b.wantValues(map[any]any{"number": int64(2)})
}

func TestASaveAfterALogoutElsewhereTakesTheCookieBack(t *testing.T) {
	b := newBrowser(t, stored)
	session, request := b.get()
	response := httptest.NewRecorder()
	session.Values["a"] = 1
	if err := session.Save(request, response); err != nil {
		t.Fatal(err)
	}
	b.cookies[name] = response.Result().Cookies()[0].Value
	b.visit(func(s *sessions.Session) { s.Options.MaxAge = -1 })
	session.Values["a"] = 2
	if err := session.Save(request, response); !errors.Is(err, khufu.ErrGone) || response.Header()["Set-Cookie"] != nil {
		t.Errorf("%v, %q", err, response.Header())
	}
}

func TestASessionThatTheApplicationMakesIsNew(t *testing.T) {
	onEachType(t, func(b *browser) {
		b.set("a", 1)
		session := sessions.NewSession(b.store, name)
		*session.Options = *b.store.Options
		session.Values["b"] = 2
		b.save(session, b.request())
		b.wantValues(map[any]any{"b": int64(2)})
	})
}

func TestACookieThatBrowsersWouldDropIsAnError(t *testing.T) {
	b := newBrowser(t, khufu.Options{})
	session, request := b.get()
	session.Values["pad"] = strings.Repeat("x", 5000)
	b.wantError(session, request, khufu.ErrTooLarge, "4064")
	session.Values["pad"] = strings.Repeat("x", 2940)
	longName, err := b.store.Get(request, strings.Repeat("n", 200))
	if err != nil {
		t.Fatal(err)
	}
	longName.Values["pad"] = session.Values["pad"]
	b.wantError(longName, request, khufu.ErrTooLarge, "4096")
	b.save(session, request)
}

// A failing store is out of order.
type failing struct{}

var errFailing = errors.New("out of order")

func (failing) Load(string) ([]byte, uint64, error)                      { return nil, 0, errFailing }
func (failing) Save(string, uint64, uint64, []byte, time.Duration) error { return errFailing }
func (failing) Touch(string, uint64, []byte, time.Duration) error        { return errFailing }
func (failing) Remove(string, uint64) error                              { return errFailing }

func TestAStoreThatFailsIsAnError(t *testing.T) {
	working := newBrowser(t, stored)
	working.set("a", 1)
	b := newBrowser(t, khufu.Options{CustomStore: failing{}})
	b.cookies = working.cookies
	request := b.request()
	session, err := b.store.Get(request, name)
	if !errors.Is(err, khufu.ErrStore) || session == nil || len(session.Values) != 0 {
		t.Fatalf("%v, %v", session, err)
	}
	session.Values["b"] = 2
	b.wantError(session, request, errFailing, "")
}
