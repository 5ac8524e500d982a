package khufu_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// A row of the table in README.md is a handler within the middleware. Its request goes through
// a real server and client, with HTTP/1.1 and with HTTP/2.
type row struct {
	does   string
	handle func(*scene, http.ResponseWriter, *http.Request)
	around func(http.Handler) http.Handler // what is around the middleware
	inside func(http.Handler) http.Handler // what is between the middleware and the handler

	method    string           // GET by default
	options   khufu.Options    // of the factory
	cookies   bool             // the data is in the cookie, instead of a store
	returning bool             // the request has the cookie of a session
	load      error            // what the store fails with at opening
	save      error            // what the store fails with at committing
	onError   http.HandlerFunc // the answer of OnError
}

func change(_ *scene, _ http.ResponseWriter, r *http.Request) {
	khufu.FromContext(r.Context()).Set("user", "ada")
}

func ask(_ *scene, _ http.ResponseWriter, r *http.Request) { khufu.FromContext(r.Context()) }

func write(_ *scene, w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }

// do returns a handler that does several things.
func do(steps ...func(*scene, http.ResponseWriter, *http.Request)) func(*scene, http.ResponseWriter, *http.Request) {
	return func(s *scene, w http.ResponseWriter, r *http.Request) {
		for _, step := range steps {
			step(s, w, r)
		}
	}
}

func status(code int) func(*scene, http.ResponseWriter, *http.Request) {
	return func(_ *scene, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func flush(_ *scene, w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() }

func raise(fault any) func(*scene, http.ResponseWriter, *http.Request) {
	return func(*scene, http.ResponseWriter, *http.Request) { panic(fault) }
}

func describe(_ *scene, w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "5")
	w.Header().Set("ETag", `"1"`)
}

// hijack answers on the connection itself, with the headers that are there by then.
func hijack(_ *scene, w http.ResponseWriter, _ *http.Request) {
	connection, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "no hijacking", http.StatusNotImplemented)
		return
	}
	defer connection.Close()
	buffer.WriteString("HTTP/1.1 200 OK\r\n")
	w.Header().Write(buffer)
	buffer.WriteString("Content-Length: 5\r\n\r\nhello")
	buffer.Flush()
}

func untilAnswered(s *scene, _ http.ResponseWriter, _ *http.Request) { <-s.answered }

// endElsewhere ends the session in another request.
func endElsewhere(s *scene, _ http.ResponseWriter, r *http.Request) {
	khufu.FromContext(r.Context()).Len()
	other, err := s.factory.OpenRequest(r)
	if err := errors.Join(err, other.Invalidate(), other.CommitTo(http.Header{}), other.Close()); err != nil {
		s.t.Error(err)
	}
}

func timeout(next http.Handler) http.Handler {
	return http.TimeoutHandler(next, 20*time.Millisecond, "too slow")
}

func patience(next http.Handler) http.Handler {
	return http.TimeoutHandler(next, time.Minute, "too slow")
}

func recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				http.Error(w, "oops", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func teapot(w http.ResponseWriter, _ *http.Request) { http.Error(w, "tea", http.StatusTeapot) }

var down = errors.New("10.0.0.7:6379 refuses the password")

var rows = []row{
	{does: "does not ask for the session, and writes", handle: write},
	{does: "asks for the session, and writes", handle: do(ask, write)},
	{does: "changes the session, and writes", handle: do(change, write)},
	{does: "changes the session, and returns", handle: change},
	{does: "… and calls `session.Close()`", handle: do(change, func(_ *scene, _ http.ResponseWriter, r *http.Request) {
		khufu.FromContext(r.Context()).Close()
	})},
	{does: "… and calls `session.CommitTo(w.Header())`, and changes it again",
		handle: do(change, func(_ *scene, w http.ResponseWriter, r *http.Request) {
			khufu.FromContext(r.Context()).CommitTo(w.Header())
		}, func(_ *scene, w http.ResponseWriter, r *http.Request) { khufu.FromContext(r.Context()).Set("more", 1) }, write)},
	{does: "… and calls `WriteHeader(404)`", handle: do(change, status(404), write)},
	{does: "… and calls `WriteHeader(204)`", handle: do(change, status(204))},
	{does: "… and calls `WriteHeader(304)`", handle: do(change, status(304))},
	{does: "… and writes, at a HEAD request", handle: do(change, write), method: "HEAD"},
	{does: "calls `WriteHeader(103)`, changes the session, and writes", handle: do(status(103), change, write)},
	{does: "changes the session, flushes, and writes", handle: do(change, flush, write)},
	{does: "… and flushes by `http.ResponseController`", handle: do(change, func(_ *scene, w http.ResponseWriter, _ *http.Request) {
		http.NewResponseController(w).Flush()
	}, write)},
	{does: "… and copies a file by `ReadFrom`", handle: do(change, func(s *scene, w http.ResponseWriter, _ *http.Request) {
		w.(io.ReaderFrom).ReadFrom(s.file())
	})},
	{does: "… and hijacks the connection, and writes `w.Header()` to it", handle: do(change, hijack)},
	{does: "asks for the session, writes, and changes it", handle: do(ask, write, change)},
	{does: "writes, asks for the session, and changes it", handle: do(write, change)},
	{does: "asks for the session, hijacks the connection, and changes it", handle: do(ask, hijack, change)},

	{does: "sets `ETag` and `Content-Length`, changes the session, and writes", handle: do(describe, change, write)},

	{does: "changes the session, and panics", handle: do(change, raise("oops"))},
	{does: "… and panics with `http.ErrAbortHandler`", handle: do(change, raise(http.ErrAbortHandler))},
	{does: "… and panics, with `NoSetOnException`", handle: do(change, raise("oops")),
		options: khufu.Options{NoSetOnException: true}},
	{does: "… and panics, and a handler around the middleware recovers", handle: do(change, raise("oops")), around: recoverer},
	{does: "… and panics, and a handler inside the middleware recovers", handle: do(change, raise("oops")), inside: recoverer},
	{does: "… and writes, flushes and panics", handle: do(change, write, flush, raise("oops"))},

	{does: "changes the session, and writes, in an `http.TimeoutHandler` around the middleware",
		handle: do(change, write), around: patience},
	{does: "… too late", handle: do(change, untilAnswered, write), around: timeout},
	{does: "changes the session, and writes, in an `http.TimeoutHandler` inside the middleware",
		handle: do(change, write), inside: patience},
	{does: "… too late, and changes the session again", handle: do(change, untilAnswered, change, write), inside: timeout},

	{does: "… asks for the session, and writes, and opening fails",
		handle: do(describe, ask, write), returning: true, load: down},
	{does: "… changes the session, and writes, and committing fails", handle: do(describe, change, write), save: down},
	{does: "… and returns, and committing fails", handle: do(describe, change), save: down},
	{does: "… and flushes, and committing fails", handle: do(describe, change, flush, write), save: down},
	{does: "… and hijacks the connection, and committing fails", handle: do(describe, change, hijack), save: down},
	{does: "… and panics, and committing fails", handle: do(describe, change, raise("oops")), save: down},
	{does: "… and writes, and the session is too large for a cookie", handle: do(describe, change, func(_ *scene, _ http.ResponseWriter, r *http.Request) {
		khufu.FromContext(r.Context()).Set("more", strings.Repeat("x", 5000))
	}, write), cookies: true},
	{does: "… and writes, and another request has ended the session", handle: do(describe, endElsewhere, change, write), returning: true},
	{does: "… and writes, and committing fails, and `OnError` answers", handle: do(describe, change, write), save: down, onError: teapot},
	{does: "logs the user out, and writes, and the store fails", handle: do(func(_ *scene, _ http.ResponseWriter, r *http.Request) {
		khufu.FromContext(r.Context()).Invalidate()
	}, write), returning: true, save: down},
}

func TestTheTableOfResponses(t *testing.T) {
	table := "| the handler | the client gets | cookie | saved | `OnError` gets |\n|---|---|---|---|---|\n"
	for _, row := range rows {
		table += fmt.Sprintf("| %s | %s |\n", row.does, strings.Join(row.play(t), " | "))
	}
	const begin, end = "<!-- the table that TestTheTableOfResponses makes -->\n", "<!-- the end of the table -->\n"
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	committed, after, foundEnd := strings.Cut(rest, end)
	if !found || !foundEnd {
		t.Fatal("README.md has no place for the table")
	}
	if os.Getenv("KHUFU_UPDATE") != "" {
		os.WriteFile("README.md", []byte(before+begin+table+end+after), 0o644)
	} else if committed != table {
		t.Errorf("README.md has another table. Check this one, and write it with KHUFU_UPDATE=1:\n%s", table)
	}
}
