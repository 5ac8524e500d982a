package khufu

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
)

// Middleware returns a handler that calls next with requests that have a session, which
// [FromContext] returns. The session is opened when it is first asked for, so a request that
// does not need its session costs nothing and its response gets no header. The session is
// committed once, before the first byte of the response, and closed when next returns.
//
// If opening or committing fails, nothing that next wrote and no header that it set is sent.
// Instead, [Options].OnError answers, or else a short text with the status 503 (if the store
// failed) or 500. From then on, what next writes fails with the same error.
//
// Opening waits for the store until the request's context is done, and committing until its
// deadline. But a client that goes away does not undo what its request did, such as a logout.
// If next panics, the session is committed with [OnException], and the panic continues.
//
// If next hijacks the connection, it must send the headers that are in its ResponseWriter then:
// the session's are among them.
func (f *Factory) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response := &response{writer: w, factory: f}
		if len(w.Header()) > 0 {
			response.before = w.Header().Clone()
		}
		response.request = r.WithContext(context.WithValue(r.Context(), contextKey{}, response))
		returned := false
		defer func() { response.end(returned) }()
		next.ServeHTTP(response, response.request)
		returned = true
	})
}

type contextKey struct{}

// FromContext returns the session of a request that passed through [Factory.Middleware]. It
// opens the session if this is the first call in the request, which counts as reading it.
//
// If the session cannot be opened, every call on it fails with the reason, which is ErrStore
// for example, and the middleware answers the request. A handler need not check this, unless
// it does something else that depends on the session.
//
// Read and change the session before you write the response. After that, reading is still
// possible, but changes fail with [ErrSent]. Later still, when the handler has returned, all
// calls fail with [ErrClosed]. Within the middleware of several factories, the session is that
// of the innermost.
func FromContext(ctx context.Context) *Session {
	if response, ok := ctx.Value(contextKey{}).(*response); ok {
		return response.openSession()
	}
	return &Session{failure: &Error{Status: ErrArgument, Detail: "the request did not pass through Factory.Middleware"}}
}

// answer is the response if OnError does not answer. It does not show the error.
func answer(w http.ResponseWriter, err error) {
	if errors.Is(err, ErrStore) || errors.Is(err, context.DeadlineExceeded) {
		http.Error(w, "The session is not available now. Try again later.", http.StatusServiceUnavailable)
	} else {
		http.Error(w, "The session could not be used.", http.StatusInternalServerError)
	}
}

// logError is the default of [Options].OnError.
func logError(_ http.ResponseWriter, r *http.Request, err error) {
	slog.ErrorContext(r.Context(), "a request's session failed", "error", err)
}
