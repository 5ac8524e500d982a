package khufu

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// A response is the http.ResponseWriter of a handler in [Factory.Middleware]. It commits the
// session before anything of the final response is sent.
//
// It has the methods that http.ResponseController looks for. It has no method Unwrap, because
// what is written to the inner writer would be sent without the session's headers.
type response struct {
	writer  http.ResponseWriter
	request *http.Request // with the context that has this response
	factory *Factory
	before  http.Header // the headers that were set outside the middleware
	state   state
	failure error // what the handler's writes fail with

	mutex     sync.Mutex // guards the fields below, because any goroutine may call FromContext
	session   *Session   // nil until it is asked for
	committed bool
}

type state int

const (
	pending   state = iota // nothing is sent, and the session is not committed
	answering              // OnError may answer
	sent                   // what is written is passed on
	failed                 // what is written is dropped
)

func (r *response) Header() http.Header { return r.writer.Header() }

func (r *response) WriteHeader(status int) {
	informational := status >= 100 && status < 200 && status != http.StatusSwitchingProtocols
	if informational || r.begin() == nil {
		r.writer.WriteHeader(status)
	}
}

func (r *response) Write(data []byte) (int, error) {
	if err := r.begin(); err != nil {
		return 0, err
	}
	return r.writer.Write(data)
}

// ReadFrom lets the server copy a file without a buffer.
func (r *response) ReadFrom(source io.Reader) (int64, error) {
	if err := r.begin(); err != nil {
		return 0, err
	}
	return io.Copy(r.writer, source)
}

func (r *response) Flush() { r.FlushError() }

func (r *response) FlushError() error {
	if err := r.begin(); err != nil {
		return err
	}
	return r.controller().Flush()
}

func (r *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := r.begin(); err != nil {
		return nil, nil, err
	}
	return r.controller().Hijack()
}

func (r *response) SetReadDeadline(deadline time.Time) error {
	return r.controller().SetReadDeadline(deadline)
}

func (r *response) SetWriteDeadline(deadline time.Time) error {
	return r.controller().SetWriteDeadline(deadline)
}

func (r *response) EnableFullDuplex() error { return r.controller().EnableFullDuplex() }

func (r *response) controller() *http.ResponseController {
	return http.NewResponseController(r.writer)
}

// CloseNotify is deprecated, but gin's Stream panics without it.
func (r *response) CloseNotify() <-chan bool {
	closed := make(chan bool, 1)
	context.AfterFunc(r.request.Context(), func() { closed <- true })
	return closed
}

// openSession returns the request's session, and opens it at the first call.
func (r *response) openSession() *Session {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.session == nil {
		r.session = r.newSession()
	}
	return r.session
}

func (r *response) newSession() *Session {
	if r.committed { // the response was sent without the header Vary
		return &Session{ofMiddleware: true, failure: ErrSent, lost: true}
	}
	session, err := r.factory.OpenRequest(r.request)
	if err != nil {
		return &Session{ofMiddleware: true, failure: err}
	}
	session.ofMiddleware = true
	session.Len() // the handler may read the session after the commit, which must know of that
	return session
}

// begin commits the session before the first byte of the response, or returns the error of
// that commit.
func (r *response) begin() error {
	switch r.state {
	case pending:
		if err := r.commit(); err != nil {
			r.fail(err, answering)
		}
	case answering:
		r.state = sent
	}
	if r.state == failed {
		return r.failure
	}
	return nil
}

// commit commits the session to the headers of the response. If that fails, the handler's own
// headers are removed.
func (r *response) commit(options ...CommitOption) error {
	r.state = sent
	r.mutex.Lock()
	r.committed = true
	session := r.session
	r.mutex.Unlock()
	if session == nil {
		return nil
	}
	ctx, stop := untilDeadline(r.request.Context())
	defer stop()
	return session.commitLast(ctx, r.Header(), r.before, options)
}

// untilDeadline returns a context that ends at the deadline only, not when the client goes away.
func untilDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	lasting := context.WithoutCancel(ctx)
	if deadline, hasDeadline := ctx.Deadline(); hasDeadline {
		return context.WithDeadline(lasting, deadline)
	}
	return lasting, func() {}
}

// fail calls OnError. If the state is answering, it or the default answer is the response.
func (r *response) fail(err error, state state) {
	r.failure, r.state = err, state
	onError := r.factory.onError
	if onError == nil {
		onError = logError
	}
	onError(r, r.request, err)
	if r.state == answering {
		answer(r, err)
	}
	r.state = failed
}

// end is called when the handler has returned or panicked.
func (r *response) end(returned bool) {
	switch {
	case r.state != pending:
	case returned:
		r.begin()
	default:
		if err := r.commit(OnException); err != nil {
			r.fail(err, failed)
		}
	}
	r.mutex.Lock()
	session := r.session
	r.mutex.Unlock()
	if session != nil && session.closeLast() && r.state == sent {
		r.fail(ErrSent, failed)
	}
}
