package khufu

// #include "callbacks.h"
import "C"

import (
	"context"
	"math"
	"net/http"
	"runtime"
	"strings"
	"time"
)

// An OpenOption changes how a session is opened.
type OpenOption func(*opening)

type opening C.khufu_go_opening

// At opens the session as if the current time were now. Use it in tests and replays. If now
// is before 1970 or after the year 9999, opening fails with [ErrArgument].
func At(now time.Time) OpenOption {
	seconds := unixSeconds(now)
	if seconds < 0 { // the core would use the clock
		seconds = C.double(math.Inf(1))
	}
	return func(o *opening) { o.now = seconds }
}

// Passive opens the session so that reading it neither renews its cookie nor extends its
// life. Use it for polls and health checks. The session can still be changed.
func Passive() OpenOption {
	return func(o *opening) { o.flags |= C.KHUFU_OPEN_PASSIVE }
}

// Open opens the session of a request from the value of its Cookie header, which may be
// empty and may hold other cookies. A bad cookie does not make Open fail. If the store
// cannot be reached, the error is [ErrStore].
func (f *Factory) Open(cookieHeader string, options ...OpenOption) (*Session, error) {
	return f.OpenContext(context.Background(), cookieHeader, options...)
}

// OpenContext does the same as Open, but waits for the store only until the context's
// deadline, or for StoreTimeout if that is shorter. If the context is already done, it
// fails with the context's error. Cancelling the context later does not interrupt it,
// unless the store is a [ContextStore].
func (f *Factory) OpenContext(ctx context.Context, cookieHeader string, options ...OpenOption) (*Session, error) {
	return f.open(ctx, cookieHeader, &opening{}, options)
}

// OpenRequest opens the session of a request. It reads all of the request's Cookie
// headers, and waits for the store as OpenContext does with the request's context.
func (f *Factory) OpenRequest(r *http.Request, options ...OpenOption) (*Session, error) {
	return f.OpenContext(r.Context(), strings.Join(r.Header["Cookie"], "; "), options...)
}

// OpenValue opens the session in a cookie's value that came without a Cookie header, for
// example in another header, a query or a message. [Session.Value] returns such a value.
// OpenValue waits for the store as OpenContext does.
func (f *Factory) OpenValue(ctx context.Context, value string, options ...OpenOption) (*Session, error) {
	return f.open(ctx, value, &opening{is_value: true}, options)
}

func (f *Factory) open(ctx context.Context, text string, o *opening, options []OpenOption) (*Session, error) {
	seconds, err := timeoutFor(ctx)
	if err != nil {
		return nil, err
	}
	o.now, o.seconds = -1, seconds
	for _, option := range options {
		option(o)
	}
	f.mutex.RLock()
	defer f.mutex.RUnlock()
	dialog := newDialog(ctx, f.store)
	o.call = begin(dialog)
	var status C.khufu_status
	for again := true; again; again = dialog.goesOn(status) {
		if o.session != nil { // from the call that ended without an answer
			freeSession(o.session)
		}
		status = C.khufu_go_open(f.handleForCall(), cString(text), cLength(text), (*C.khufu_go_opening)(o))
	}
	session, err := f.opened(o, status)
	return session, deadlineError(ctx, end(&o.call, err))
}

// opened wraps the session that the core has opened, or returns the error of opening it.
func (f *Factory) opened(o *opening, status C.khufu_status) (*Session, error) {
	s := &Session{handle: o.session, refusal: C.GoString(o.error), store: f.store}
	switch {
	case f.handle == nil:
		freeSession(s.handle)
		return nil, ErrClosed
	case status != C.KHUFU_OK:
		freeSession(s.handle)
		return nil, &Error{Status: Status(status), Detail: s.refusal}
	}
	s.cleanup = runtime.AddCleanup(s, freeSession, s.handle)
	return s, nil
}
