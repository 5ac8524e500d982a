package khufu_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// A scene is a server that gets one request for a handler within the middleware.
type scene struct {
	t        *testing.T
	factory  *khufu.Factory
	errors   []string // the errors that OnError got
	ended    sync.WaitGroup
	answered chan bool // closed when the client has the response
}

// A countingStore counts what it saved.
type countingStore struct {
	brokenStore
	saved int
}

func (c *countingStore) Save(key string, expected, generation uint64, record []byte, ttl time.Duration) error {
	err := c.brokenStore.Save(key, expected, generation, record, ttl)
	if err == nil {
		c.saved++
	}
	return err
}

// play returns the cells of a row. A cell names both versions of HTTP where they differ.
func (r row) play(t *testing.T) []string {
	cells, others := r.playWith(t, false), r.playWith(t, true)
	for i := range cells {
		if cells[i] != others[i] {
			cells[i] = "HTTP/1.1: " + cells[i] + "; HTTP/2: " + others[i]
		}
	}
	return cells
}

func (r row) playWith(t *testing.T, http2 bool) []string {
	s, store := &scene{t: t, answered: make(chan bool)}, new(countingStore)
	options := r.options
	if !r.cookies {
		options.CustomStore = store
	}
	options.OnError = func(w http.ResponseWriter, request *http.Request, err error) {
		s.errors = append(s.errors, "`"+nameOf(err)+"`")
		if r.onError != nil {
			r.onError(w, request)
		}
	}
	s.factory = newFactory(t, options)
	cookie := ""
	if r.returning {
		cookie = beginNow(t, s.factory, map[string]any{"user": "zoe"}).Header.Get("Cookie")
	}
	store.load = func() error { return r.load }
	store.save = func() error { return r.save }
	store.remove = store.save
	store.saved = 0

	server := httptest.NewUnstartedServer(s.handler(r))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.EnableHTTP2 = http2
	if http2 {
		server.StartTLS()
	} else {
		server.Start()
	}
	defer server.Close()
	cells := s.request(server, cmp.Or(r.method, "GET"), cookie)
	return append(cells, fmt.Sprint(store.saved), cmp.Or(strings.Join(s.errors, ", "), "–"))
}

// handler returns the row's handler with the middleware and what is around and inside it.
func (s *scene) handler(r row) http.Handler {
	s.ended.Add(2)
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		defer s.ended.Done()
		r.handle(s, w, request)
	})
	if r.inside != nil {
		handler = r.inside(handler)
	}
	middleware := s.factory.Middleware(handler)
	handler = http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		defer s.ended.Done()
		middleware.ServeHTTP(w, request)
	})
	if r.around != nil {
		handler = r.around(handler)
	}
	return handler
}

// request makes the request, and returns what the client got and which of the session's headers.
func (s *scene) request(server *httptest.Server, method, cookie string) []string {
	defer s.ended.Wait()
	defer close(s.answered)
	interim := ""
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			interim = fmt.Sprintf("%d, then ", code)
			wantEqual(s.t, "the number of cookies before the final response", len(header["Set-Cookie"]), 0)
			return nil
		},
	})
	request, err := http.NewRequestWithContext(ctx, method, server.URL, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if cookie != "" {
		request.Header.Set("Cookie", cookie)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		return []string{"no response", "–"}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	text := interim + fmt.Sprint(response.StatusCode)
	switch {
	case strings.HasPrefix(string(body), "The session "):
		text += ", a short text"
	case len(body) > 0:
		text += fmt.Sprintf(", `%s`", strings.TrimSpace(string(body)))
	}
	if response.Header.Get("ETag") != "" {
		text += ", `ETag`"
	}
	if err != nil {
		text += ", cut off"
	}
	return []string{text, s.headers(response.Header)}
}

// headers describes the session's headers in a response.
func (s *scene) headers(header http.Header) string {
	cookies := header["Set-Cookie"]
	varies := header.Get("Vary") == "Cookie" && strings.HasPrefix(header.Get("Cache-Control"), "private")
	switch {
	case len(cookies) == 0 && varies:
		return "only `Vary`"
	case len(cookies) == 0:
		return "–"
	case cookieOf(cookies...) == "session=":
		wantEqual(s.t, "Cache-Control", header.Get("Cache-Control"), "no-store")
		return "cleared"
	}
	wantEqual(s.t, "the number of cookies", len(cookies), 1)
	wantEqual(s.t, "whether the response depends on the cookie", varies, true)
	return "set"
}

// file returns a file with the text hello.
func (s *scene) file() *os.File {
	name := s.t.TempDir() + "/hello"
	err := os.WriteFile(name, []byte("hello"), 0o600)
	file, openError := os.Open(name)
	if err := errors.Join(err, openError); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { file.Close() })
	return file
}

// nameOf returns the name of an error in Go.
func nameOf(err error) string {
	for name, named := range map[string]error{
		"ErrStore": khufu.ErrStore, "ErrGone": khufu.ErrGone, "ErrTooLarge": khufu.ErrTooLarge, "ErrSent": khufu.ErrSent,
		"context.DeadlineExceeded": context.DeadlineExceeded,
	} {
		if errors.Is(err, named) {
			return name
		}
	}
	return err.Error()
}
