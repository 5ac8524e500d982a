package khufu

// #include "callbacks.h"
import "C"

import (
	"context"
	"net/http"
	"runtime"
	"runtime/cgo"
	"strings"
	"sync"
	"time"
)

// A Factory opens sessions, all with the same options. It is safe for concurrent use.
type Factory struct {
	mutex   sync.RWMutex // held for reading during a call; Close waits for it
	handle  *C.khufu_factory
	cleanup runtime.Cleanup
}

// NewFactory makes a factory from options. If the name or value of an option is wrong, the
// error is [ErrOption] and says what is allowed.
func NewFactory(options Options) (*Factory, error) {
	if C.khufu_abi_version() != C.KHUFU_ABI_VERSION {
		return nil, ErrVersion
	}
	handle := C.khufu_options_new()
	defer C.khufu_options_free(handle)
	failure := func(status C.khufu_status) error {
		return &Error{Status: Status(status), Detail: C.GoString(C.khufu_options_error(handle))}
	}

	for _, setting := range options.settings() {
		status := C.khufu_options_set(handle,
			cString(setting.Name), cLength(setting.Name), cString(setting.Value), cLength(setting.Value))
		if status != C.KHUFU_OK {
			return nil, failure(status)
		}
	}
	if options.CustomStore != nil {
		store := cgo.NewHandle(options.CustomStore)
		_, keepsSubjects := options.CustomStore.(SubjectStore)
		if status := C.khufu_go_set_store(handle, C.uintptr_t(store), C.bool(keepsSubjects)); status != C.KHUFU_OK {
			store.Delete()
			return nil, failure(status)
		}
	}
	if options.CustomSerializer != nil {
		serializer := cgo.NewHandle(options.CustomSerializer)
		if status := C.khufu_go_set_serializer(handle, C.uintptr_t(serializer)); status != C.KHUFU_OK {
			serializer.Delete()
			return nil, failure(status)
		}
	}
	f := new(Factory)
	if status := C.khufu_factory_new(handle, &f.handle); status != C.KHUFU_OK {
		return nil, failure(status)
	}
	f.cleanup = runtime.AddCleanup(f, freeFactory, f.handle)
	return f, nil
}

func freeFactory(handle *C.khufu_factory) { C.khufu_factory_free(handle) }

// Open opens the session of a request from the value of its Cookie header, which may be
// empty and may hold other cookies. A bad cookie does not make Open fail. If the store
// cannot be reached, the error is [ErrStore].
func (f *Factory) Open(cookieHeader string) (*Session, error) {
	return f.OpenContext(context.Background(), cookieHeader)
}

// OpenContext does the same as Open, but waits for the store only until the context's
// deadline, or for StoreTimeout if that is shorter. If the context is already done, it
// fails with the context's error. Cancelling the context later does not interrupt it.
func (f *Factory) OpenContext(ctx context.Context, cookieHeader string) (*Session, error) {
	seconds, err := timeoutFor(ctx)
	if err != nil {
		return nil, err
	}
	f.mutex.RLock()
	defer f.mutex.RUnlock()
	var handle *C.khufu_session
	var cause C.uintptr_t
	status := C.khufu_go_open(f.handleForCall(), cString(cookieHeader), cLength(cookieHeader), seconds, &handle, &cause)
	session, err := f.newSession(handle, status)
	return session, deadlineError(ctx, withCause(cause, err))
}

// OpenAt opens a session as if the current time were now. Use it in tests and replays.
func (f *Factory) OpenAt(cookieHeader string, now time.Time) (*Session, error) {
	f.mutex.RLock()
	defer f.mutex.RUnlock()
	var handle *C.khufu_session
	var cause C.uintptr_t
	status := C.khufu_go_open_at(f.handleForCall(), cString(cookieHeader), cLength(cookieHeader),
		unixSeconds(now), &handle, &cause)
	session, err := f.newSession(handle, status)
	return session, withCause(cause, err)
}

// OpenRequest opens the session of a request. It reads all of the request's Cookie
// headers, and waits for the store as OpenContext does with the request's context.
func (f *Factory) OpenRequest(r *http.Request) (*Session, error) {
	return f.OpenContext(r.Context(), strings.Join(r.Header["Cookie"], "; "))
}

// Close frees the factory. Sessions that it opened stay usable. Closing it again does
// nothing. The error is always nil.
func (f *Factory) Close() error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.handle != nil {
		f.cleanup.Stop()
		freeFactory(f.handle)
		f.handle = nil
	}
	return nil
}

// handleForCall returns the handle for one call into the core. The factory must stay
// reachable until the call is over; it does, because every caller unlocks the mutex afterwards.
func (f *Factory) handleForCall() *C.khufu_factory {
	handle := f.handle
	duringCall()
	return handle
}

// newSession wraps a handle that the core has opened, or returns the error of opening it.
func (f *Factory) newSession(handle *C.khufu_session, status C.khufu_status) (*Session, error) {
	s := &Session{handle: handle, refusal: C.GoString(C.khufu_session_error(handle))}
	switch {
	case f.handle == nil:
		C.khufu_session_free(handle)
		return nil, ErrClosed
	case status != C.KHUFU_OK:
		C.khufu_session_free(handle)
		return nil, &Error{Status: Status(status), Detail: s.refusal}
	}
	s.cleanup = runtime.AddCleanup(s, freeSession, handle)
	return s, nil
}
