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

// A Factory opens sessions. It is safe for use by several goroutines.
type Factory struct {
	mutex   sync.RWMutex // Close waits for those who open
	handle  *C.khufu_factory
	cleanup runtime.Cleanup
}

// NewFactory makes a factory of the options. A name or value that is wrong is an
// [ErrOption] that says what is allowed.
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
			chars(setting.Name), size(setting.Name), chars(setting.Value), size(setting.Value))
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

// Open opens the session of a request from the text of its Cookie header, which may
// be empty and may hold other cookies. No cookie makes it fail; a store that cannot be
// reached does, with [ErrStore].
func (f *Factory) Open(cookieHeader string) (*Session, error) {
	return f.OpenContext(context.Background(), cookieHeader)
}

// OpenContext is Open that waits for the store no longer than until the context's
// deadline, or for StoreTimeout if that is less. Where the context is done already, it
// fails with the context's error; a context that is cancelled later does not end it.
func (f *Factory) OpenContext(ctx context.Context, cookieHeader string) (*Session, error) {
	seconds, err := patience(ctx)
	if err != nil {
		return nil, err
	}
	f.mutex.RLock()
	defer f.mutex.RUnlock()
	var handle *C.khufu_session
	var cause C.uintptr_t
	status := C.khufu_go_open(f.use(), chars(cookieHeader), size(cookieHeader), seconds, &handle, &cause)
	session, err := f.opened(handle, status)
	return session, late(ctx, because(cause, err))
}

// OpenAt is Open with a clock of the caller's, for tests and replays.
func (f *Factory) OpenAt(cookieHeader string, now time.Time) (*Session, error) {
	f.mutex.RLock()
	defer f.mutex.RUnlock()
	var handle *C.khufu_session
	var cause C.uintptr_t
	status := C.khufu_go_open_at(f.use(), chars(cookieHeader), size(cookieHeader), epoch(now), &handle, &cause)
	session, err := f.opened(handle, status)
	return session, because(cause, err)
}

// OpenRequest opens the session of a request, from all of its Cookie headers, with
// its context.
func (f *Factory) OpenRequest(r *http.Request) (*Session, error) {
	return f.OpenContext(r.Context(), strings.Join(r.Header["Cookie"], "; "))
}

// Close frees the factory. Sessions that it opened stay usable. To close it again
// does nothing; the error is always nil.
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

// use gives the handle for one call. The factory must stay reachable beyond it, as it
// is for a caller who unlocks the mutex afterwards.
func (f *Factory) use() *C.khufu_factory {
	handle := f.handle
	collect()
	return handle
}

func (f *Factory) opened(handle *C.khufu_session, status C.khufu_status) (*Session, error) {
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
