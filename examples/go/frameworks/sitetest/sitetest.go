// Package sitetest visits a program's site with a real client.
package sitetest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/examples/go/frameworks/site"
)

// Visit logs in at the site of a handler, and checks each response.
func Visit(t *testing.T, handler func(*khufu.Factory) http.Handler) {
	sessions, err := site.Sessions()
	if err != nil {
		t.Fatal(err)
	}
	defer sessions.Close()
	server := httptest.NewServer(handler(sessions))
	defer server.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t, server, &http.Client{Jar: jar}}

	b.get("/", 200, "Hello, stranger: visit 1.")
	page := b.get("/", 200, "Hello, stranger: visit 2.")
	token := regexp.MustCompile(`name="csrf_token" value="(\w+)"`).FindStringSubmatch(page)
	if token == nil {
		t.Fatalf("the page has no CSRF token:\n%s", page)
	}
	b.post("/login", url.Values{"user": {"Ada"}}, 403, "The form has expired.")
	b.post("/login", url.Values{"user": {"Ada"}, "csrf_token": {token[1]}}, 200, "Welcome, Ada.")
	if page := b.get("/", 200, "Hello, Ada: visit 4."); strings.Contains(page, "Welcome") {
		t.Errorf("the message is shown again:\n%s", page)
	}
	b.get("/ticks", 200, "visit 5\ntick 1\ntick 2\ntick 3\n")
	b.get("/nothing", 404, "")
	b.get("/", 200, "Hello, Ada: visit 6.")
}

type browser struct {
	t      *testing.T
	server *httptest.Server
	client *http.Client
}

func (b *browser) get(path string, status int, words string) string {
	b.t.Helper()
	response, err := b.client.Get(b.server.URL + path)
	return b.check(response, err, status, words)
}

func (b *browser) post(path string, form url.Values, status int, words string) string {
	b.t.Helper()
	response, err := b.client.PostForm(b.server.URL+path, form)
	return b.check(response, err, status, words)
}

// check returns the body of a response, which must have this status and contain these words.
func (b *browser) check(response *http.Response, err error, status int, words string) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status || !strings.Contains(string(body), words) {
		b.t.Fatalf("the status is %d, not %d, or the body does not contain %q: %v\n%s",
			response.StatusCode, status, words, err, body)
	}
	return string(body)
}
