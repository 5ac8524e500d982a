package khufu_test

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

const secret = "itsaseekreet"

var now = time.Unix(1700000060, 0)

// newFactory makes a factory. Its secret is the constant above unless the options set one.
func newFactory(t testing.TB, options khufu.Options) *khufu.Factory {
	t.Helper()
	if options.Secret == "" && options.SecretHex == "" {
		options.Secret = secret
	}
	factory, err := khufu.NewFactory(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { factory.Close() })
	return factory
}

func openAt(t testing.TB, factory *khufu.Factory, cookieHeader string, at time.Time) *khufu.Session {
	t.Helper()
	session, err := factory.Open(cookieHeader, khufu.At(at))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

// newSession opens an empty session with default options.
func newSession(t testing.TB) *khufu.Session {
	t.Helper()
	return openAt(t, newFactory(t, khufu.Options{}), "", now)
}

// commit commits and returns the Cookie header that the browser would send back, or "" if no
// cookie was set.
func commit(t testing.TB, session *khufu.Session, options ...khufu.CommitOption) string {
	t.Helper()
	values := setCookies(t, session, options...)
	if len(values) > 1 {
		t.Fatalf("%d cookies: %q", len(values), values)
	}
	return cookieOf(values...)
}

// setCookies commits and returns the Set-Cookie values of the response.
func setCookies(t testing.TB, session *khufu.Session, options ...khufu.CommitOption) []string {
	t.Helper()
	header, err := session.Commit(options...)
	if err != nil {
		t.Fatal(err)
	}
	return header["Set-Cookie"]
}

// cookieOf returns the Cookie header that the browser sends back for the first of these
// Set-Cookie values, if there is one.
func cookieOf(values ...string) string {
	pair, _, _ := strings.Cut(strings.Join(values, ";"), ";")
	return pair
}

// signed returns a Cookie header with this payload, signed with Pyramid's default options.
func signed(payload string) string {
	mac := hmac.New(sha512.New, []byte("pyramid.session."+secret))
	mac.Write([]byte(payload))
	return "session=" + base64.RawURLEncoding.EncodeToString(append(mac.Sum(nil), payload...))
}

// pickled returns a signed Cookie header whose payload is a pickle, which is given in base64.
func pickled(payload string) string {
	text, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		panic(err)
	}
	return signed(string(text))
}

// readVectors reads a file of tests/vectors, which the tests of all languages share.
func readVectors[T any](t testing.TB, file string) (v T) {
	t.Helper()
	text, err := os.ReadFile("../../tests/vectors/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func set(t testing.TB, session *khufu.Session, key string, value any) {
	t.Helper()
	if err := session.Set(key, value); err != nil {
		t.Fatalf("Set(%q, %v): %v", key, value, err)
	}
}

func toJSON(t testing.TB, session *khufu.Session) string {
	t.Helper()
	text, err := session.ToJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantError(t testing.TB, err error, wanted error) {
	t.Helper()
	if !errors.Is(err, wanted) {
		t.Errorf("the error is %v, not %v", err, wanted)
	}
}

func wantEqual[T comparable](t testing.TB, what string, found, wanted T) {
	t.Helper()
	if found != wanted {
		t.Errorf("%s is %v, not %v", what, found, wanted)
	}
}

// wantState checks what a request with this cookie finds in its session.
func wantState(t *testing.T, factory *khufu.Factory, cookie, state string) {
	t.Helper()
	session, err := factory.Open(cookie)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	wantEqual(t, "the state", toJSON(t, session), state)
}
