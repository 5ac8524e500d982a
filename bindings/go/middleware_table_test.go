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
	handle step
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

// A step is something that a handler does.
type step func(*scene, http.ResponseWriter, *http.Request)

// do returns a step of several steps.
func do(steps ...step) step {
	return func(s *scene, w http.ResponseWriter, r *http.Request) {
		for _, step := range steps {
			step(s, w, r)
		}
	}
}

// use returns a step that does something with the request's session.
func use(do func(*khufu.Session)) step {
	return func(_ *scene, _ http.ResponseWriter, r *http.Request) { do(khufu.FromContext(r.Context())) }
}

// reply returns a step that does something with the response.
func reply(do func(http.ResponseWriter)) step {
	return func(_ *scene, w http.ResponseWriter, _ *http.Request) { do(w) }
}

var (
	ask          = use(func(*khufu.Session) {})
	change       = use(func(s *khufu.Session) { s.Set("user", "ada") })
	changeAgain  = use(func(s *khufu.Session) { s.Set("more", 1) })
	enlarge      = use(func(s *khufu.Session) { s.Set("user", strings.Repeat("x", 5000)) })
	invalidate   = use(func(s *khufu.Session) { s.Invalidate() })
	closeSession = use(func(s *khufu.Session) { s.Close() })

	write             = reply(func(w http.ResponseWriter) { io.WriteString(w, "hello") })
	flush             = reply(func(w http.ResponseWriter) { w.(http.Flusher).Flush() })
	flushByController = reply(func(w http.ResponseWriter) { http.NewResponseController(w).Flush() })
	describe          = reply(func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "5")
		w.Header().Set("ETag", `"1"`)
	})
)

func status(code int) step { return reply(func(w http.ResponseWriter) { w.WriteHeader(code) }) }

func raise(fault any) step { return reply(func(http.ResponseWriter) { panic(fault) }) }

func commitTo(_ *scene, w http.ResponseWriter, r *http.Request) {
	khufu.FromContext(r.Context()).CommitTo(w.Header())
}

func copyFile(s *scene, w http.ResponseWriter, _ *http.Request) { w.(io.ReaderFrom).ReadFrom(s.file()) }

func untilAnswered(s *scene, _ http.ResponseWriter, _ *http.Request) { <-s.answered }

// hijack sends the headers that are there by then, and a body, on the connection itself.
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

// endElsewhere ends the session in another request.
func endElsewhere(s *scene, _ http.ResponseWriter, r *http.Request) {
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

var errDown = errors.New("10.0.0.7:6379 refuses the password")

var rows = []row{
	{does: "writes, and does not ask for the session", handle: write},
	{does: "asks for the session, writes", handle: do(ask, write)},
	{does: "changes the session, writes", handle: do(change, write)},
	{does: "changes the session", handle: change},
	{does: "changes the session, calls `session.Close()`", handle: do(change, closeSession)},
	{does: "changes the session, calls `session.CommitTo`, changes it again, writes",
		handle: do(change, commitTo, changeAgain, write)},
	{does: "changes the session, calls `WriteHeader(404)`, writes", handle: do(change, status(404), write)},
	{does: "changes the session, calls `WriteHeader(204)`", handle: do(change, status(204))},
	{does: "changes the session, calls `WriteHeader(304)`", handle: do(change, status(304))},
	{does: "at a HEAD request: changes the session, writes", handle: do(change, write), method: "HEAD"},
	{does: "calls `WriteHeader(103)`, changes the session, writes", handle: do(status(103), change, write)},
	{does: "changes the session, flushes, writes", handle: do(change, flush, write)},
	{does: "changes the session, flushes by `http.ResponseController`, writes",
		handle: do(change, flushByController, write)},
	{does: "changes the session, copies a file by `ReadFrom`", handle: do(change, copyFile)},
	{does: "changes the session, hijacks the connection, writes `w.Header()` and a body to it",
		handle: do(change, hijack)},

	{does: "asks for the session, writes, changes it", handle: do(ask, write, change)},
	{does: "writes, asks for the session, changes it", handle: do(write, change)},
	{does: "asks for the session, hijacks the connection, changes it", handle: do(ask, hijack, change)},

	{does: "changes the session, panics", handle: do(change, raise("oops"))},
	{does: "changes the session, panics with `http.ErrAbortHandler`", handle: do(change, raise(http.ErrAbortHandler))},
	{does: "with `NoSetOnException`: changes the session, panics", handle: do(change, raise("oops")),
		options: khufu.Options{NoSetOnException: true}},
	{does: "recovering around the middleware: changes the session, panics",
		handle: do(change, raise("oops")), around: recoverer},
	{does: "recovering inside the middleware: changes the session, panics",
		handle: do(change, raise("oops")), inside: recoverer},
	{does: "changes the session, writes, flushes, panics", handle: do(change, write, flush, raise("oops"))},

	{does: "in an `http.TimeoutHandler` around the middleware: changes the session, writes",
		handle: do(change, write), around: patience},
	{does: "in an `http.TimeoutHandler` around the middleware: changes the session, writes too late",
		handle: do(change, untilAnswered, write), around: timeout},
	{does: "in an `http.TimeoutHandler` inside the middleware: changes the session, writes",
		handle: do(change, write), inside: patience},
	{does: "in an `http.TimeoutHandler` inside the middleware: changes the session, changes it again too late",
		handle: do(change, untilAnswered, changeAgain, write), inside: timeout},

	{does: "sets `ETag` and `Content-Length`, changes the session, writes", handle: do(describe, change, write)},
	{does: "the same, but opening fails", handle: do(describe, change, write), returning: true, load: errDown},
	{does: "the same, but committing fails", handle: do(describe, change, write), save: errDown},
	{does: "the same, but the session is too large for a cookie", handle: do(describe, enlarge, write), cookies: true},
	{does: "the same, but another request has ended the session",
		handle: do(describe, ask, endElsewhere, change, write), returning: true},
	{does: "the same, but committing fails, and `OnError` answers",
		handle: do(describe, change, write), save: errDown, onError: teapot},
	{does: "changes the session, but committing fails", handle: change, save: errDown},
	{does: "changes the session, flushes, but committing fails", handle: do(change, flush, write), save: errDown},
	{does: "changes the session, hijacks the connection, but committing fails", handle: do(change, hijack), save: errDown},
	{does: "changes the session, writes, changes it again, but committing fails",
		handle: do(change, write, changeAgain), save: errDown},
	{does: "changes the session, panics, and committing fails", handle: do(change, raise("oops")), save: errDown},
	{does: "recovering around the middleware: changes the session, panics, and committing fails",
		handle: do(change, raise("oops")), around: recoverer, save: errDown},
	{does: "ends the session, writes, but committing fails",
		handle: do(invalidate, write), returning: true, save: errDown},
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
