package khufu_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// serve calls a handler within the middleware, and returns the response.
func serve(factory *khufu.Factory, request *http.Request, handler http.HandlerFunc) *http.Response {
	recorder := httptest.NewRecorder()
	factory.Middleware(handler).ServeHTTP(recorder, request)
	return recorder.Result()
}

// ignoreError is an OnError that leaves the answer to the middleware, and logs nothing.
func ignoreError(http.ResponseWriter, *http.Request, error) {}

// get returns a request without a session.
func get() *http.Request { return httptest.NewRequest("GET", "/", nil) }

func TestAnUntouchedSessionIsNotOpened(t *testing.T) {
	response := serve(closedFactory(t), get(), teapot)
	wantEqual(t, "the status", response.StatusCode, http.StatusTeapot)
	wantEqual(t, "the number of cookies", len(response.Cookies()), 0)
}

func TestFromContextReturnsOneSession(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	for name, handler := range map[string]func(http.Handler) http.Handler{
		"once":  factory.Middleware,
		"twice": func(next http.Handler) http.Handler { return factory.Middleware(factory.Middleware(next)) },
	} {
		t.Run(name, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				set(t, khufu.FromContext(r.Context()), "a", 1)
				set(t, khufu.FromContext(r.Context()), "b", 2)
			})).ServeHTTP(recorder, get())
			cookies := recorder.Result().Header["Set-Cookie"]
			wantEqual(t, "the number of cookies", len(cookies), 1)
			wantState(t, factory, cookieOf(cookies...), `{"a":1,"b":2}`)
		})
	}
}

func TestFromContextWithoutTheMiddleware(t *testing.T) {
	session := khufu.FromContext(t.Context())
	err := session.Set("a", 1)
	wantError(t, err, khufu.ErrArgument)
	if !strings.Contains(err.Error(), "Factory.Middleware") {
		t.Error(err)
	}
	session.Close()
}

func TestASessionIsReadOnlyAfterTheResponseIsSent(t *testing.T) {
	var late []error
	factory := newFactory(t, khufu.Options{OnError: func(_ http.ResponseWriter, _ *http.Request, err error) {
		late = append(late, err)
	}})
	var kept *khufu.Session
	serve(factory, get(), func(w http.ResponseWriter, r *http.Request) {
		kept = khufu.FromContext(r.Context())
		set(t, kept, "user", "ada")
		w.WriteHeader(http.StatusOK)
		for name, call := range changes {
			t.Run(name, func(t *testing.T) { wantError(t, call(kept), khufu.ErrSent) })
		}
		user, err := khufu.FromContext(r.Context()).GetString("user")
		if err != nil || user != "ada" || toJSON(t, kept) != `{"user":"ada"}` {
			t.Errorf("%q, %v", user, err)
		}
	})
	if len(late) != 1 || late[0] != khufu.ErrSent {
		t.Errorf("OnError got %v", late)
	}
	wantError(t, kept.Set("user", "zoe"), khufu.ErrClosed)
}

func TestASessionThatCannotBeOpenedFailsEveryCall(t *testing.T) {
	store := new(brokenStore)
	factory := newFactory(t, khufu.Options{CustomStore: store, OnError: ignoreError})
	request := beginNow(t, factory, map[string]any{"user": "ada"})
	store.load = func() error { return errUnplugged }
	response := serve(factory, request, func(w http.ResponseWriter, r *http.Request) {
		session := khufu.FromContext(r.Context())
		for _, calls := range []map[string]func(*khufu.Session) error{reads, changes} {
			for name, call := range calls {
				t.Run(name, func(t *testing.T) { wantError(t, call(session), khufu.ErrStore) })
			}
		}
		for name, call := range map[string]func() error{
			"Write":    func() error { _, err := io.WriteString(w, "hello"); return err },
			"ReadFrom": func() error { _, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader("hello")); return err },
			"Flush":    http.NewResponseController(w).Flush,
			"Hijack":   func() error { _, _, err := http.NewResponseController(w).Hijack(); return err },
		} {
			t.Run(name, func(t *testing.T) { wantError(t, call(), errUnplugged) })
		}
	})
	wantEqual(t, "the status", response.StatusCode, http.StatusServiceUnavailable)
}

// The visitor does not see the reason of a failure, which may name the store.
func TestTheDefaultAnswerHidesTheReason(t *testing.T) {
	var logged bytes.Buffer
	defer log.SetOutput(log.Writer())
	log.SetOutput(&logged)
	factory := newFactory(t, khufu.Options{CustomStore: &brokenStore{save: func() error { return errDown }}})
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Strict-Transport-Security", "max-age=60")
	factory.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set(t, khufu.FromContext(r.Context()), "user", "ada")
		w.Header().Set("Strict-Transport-Security", "max-age=0")
		w.Header().Set("Location", "/account")
		w.WriteHeader(http.StatusSeeOther)
	})).ServeHTTP(recorder, get())
	response := recorder.Result()
	wantEqual(t, "the status", response.StatusCode, http.StatusServiceUnavailable)
	wantEqual(t, "the body", recorder.Body.String(), "The session is not available now. Try again later.\n")
	wantEqual(t, "a header from outside", response.Header.Get("Strict-Transport-Security"), "max-age=60")
	wantEqual(t, "a header of the handler", response.Header.Get("Location"), "")
	if !strings.Contains(logged.String(), errDown.Error()) {
		t.Errorf("the log is %q", &logged)
	}
}

func TestOnErrorMayAbortTheResponse(t *testing.T) {
	factory := newFactory(t, khufu.Options{
		CustomStore: &brokenStore{save: func() error { return errDown }},
		OnError:     func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	})
	defer func() { wantEqual(t, "the panic", recover(), any(http.ErrAbortHandler)) }()
	serve(factory, get(), func(_ http.ResponseWriter, r *http.Request) { set(t, khufu.FromContext(r.Context()), "a", 1) })
	t.Error("there was no panic")
}

func TestAResponseControllerReachesTheServer(t *testing.T) {
	handler := newFactory(t, khufu.Options{}).Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		controller := reflect.ValueOf(http.NewResponseController(w))
		for i := range controller.NumMethod() {
			name := controller.Type().Method(i).Name
			arguments := map[string][]reflect.Value{
				"SetReadDeadline":  {reflect.ValueOf(time.Now().Add(time.Hour))},
				"SetWriteDeadline": {reflect.ValueOf(time.Now().Add(time.Hour))},
			}[name]
			results := controller.Method(i).Call(arguments)
			if err, _ := results[len(results)-1].Interface().(error); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if name == "Hijack" { // the last one but those that set something
				defer results[0].MethodByName("Close").Call(nil)
			}
		}
	}))
	server := httptest.NewServer(handler)
	defer server.Close()
	if response, err := server.Client().Get(server.URL); err == nil {
		response.Body.Close()
	}
}

func TestSwitchingProtocolsCommits(t *testing.T) {
	factory := newFactory(t, khufu.Options{})
	server := httptest.NewServer(factory.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set(t, khufu.FromContext(r.Context()), "user", "ada")
		w.Header().Set("Connection", "upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(http.StatusSwitchingProtocols)
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		connection.Close()
	})))
	defer server.Close()
	response, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	wantEqual(t, "the status", response.StatusCode, http.StatusSwitchingProtocols)
	wantEqual(t, "the number of cookies", len(response.Cookies()), 1)
}

// A user who clicks on "log out" and closes the page at once is logged out, also if that is while
// the store removes the session.
func TestALogoutIsSavedAlthoughTheClientGoesAway(t *testing.T) {
	for name, whileRemoving := range map[string]bool{"before the commit": false, "during the commit": true} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			store := contextStore{MapStore: new(MapStore)}
			if whileRemoving {
				store.onRemove = cancel
			}
			factory := newFactory(t, khufu.Options{CustomStore: store})
			request := beginNow(t, factory, map[string]any{"user": "ada"})
			serve(factory, request.WithContext(ctx), func(_ http.ResponseWriter, r *http.Request) {
				err := khufu.FromContext(r.Context()).Invalidate()
				if !whileRemoving {
					cancel()
				}
				if err != nil {
					t.Error(err)
				}
			})
			wantEqual(t, "the context's error", ctx.Err(), context.Canceled)
			serve(factory, request, func(_ http.ResponseWriter, r *http.Request) {
				wantEqual(t, "the load result", khufu.FromContext(r.Context()).LoadResult(), khufu.LoadMissing)
			})
		})
	}
}

func TestOpeningEndsWithTheRequestsContext(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), now)
	defer cancel()
	for _, row := range []struct {
		ctx    context.Context
		status int
	}{{cancelled, http.StatusInternalServerError}, {late, http.StatusServiceUnavailable}} {
		var got error
		factory := newFactory(t, khufu.Options{OnError: func(_ http.ResponseWriter, _ *http.Request, err error) {
			got = err
		}})
		response := serve(factory, get().WithContext(row.ctx), func(_ http.ResponseWriter, r *http.Request) {
			wantError(t, khufu.FromContext(r.Context()).Set("a", 1), row.ctx.Err())
		})
		wantEqual(t, "the error", got, row.ctx.Err())
		wantEqual(t, "the status", response.StatusCode, row.status)
	}
}

// Goroutines that outlive the handler get errors, and change nothing that was sent.
func TestGoroutinesMayOutliveTheHandler(t *testing.T) {
	factory := newFactory(t, khufu.Options{Type: khufu.Stored, OnError: ignoreError})
	var group sync.WaitGroup
	for range 20 {
		serve(factory, get(), func(w http.ResponseWriter, r *http.Request) {
			group.Add(4)
			for range 4 {
				go func() {
					defer group.Done()
					for {
						session := khufu.FromContext(r.Context())
						session.Len()
						if _, err := session.Increment("n", 1); errors.Is(err, khufu.ErrClosed) {
							return
						}
					}
				}()
			}
			khufu.FromContext(r.Context()).Set("a", 1)
			io.WriteString(w, "hello")
		})
	}
	group.Wait()
}

func TestCloseNotify(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	serve(newFactory(t, khufu.Options{}), get().WithContext(ctx), func(w http.ResponseWriter, r *http.Request) {
		closed := w.(interface{ CloseNotify() <-chan bool }).CloseNotify()
		cancel()
		wantEqual(t, "what the channel gives", <-closed, true)
	})
}
