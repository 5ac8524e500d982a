package khufu

// #include <khufu.h>
import "C"

import (
	"net/http"
	"runtime"
	"sync"
)

// A Factory opens sessions, all with the same options. It is safe for concurrent use.
type Factory struct {
	mutex   sync.RWMutex // held for reading during a call; Close waits for it
	handle  *C.khufu_factory
	cleanup runtime.Cleanup
	onError func(http.ResponseWriter, *http.Request, error)
	store   *customStore // nil if the store is the core's own
}

// NewFactory makes a factory from options. If the name or value of an option is wrong, the
// error is [ErrOption] and says what is allowed.
func NewFactory(options Options) (*Factory, error) {
	b, err := newBuilder()
	if err != nil {
		return nil, err
	}
	defer b.free()
	if err := b.apply(options); err != nil {
		return nil, err
	}
	f := &Factory{onError: options.OnError, store: newCustomStore(options.CustomStore)}
	if err := b.check(C.khufu_factory_new(b.handle, &f.handle)); err != nil {
		return nil, err
	}
	f.cleanup = runtime.AddCleanup(f, freeFactory, f.handle)
	return f, nil
}

func freeFactory(handle *C.khufu_factory) { C.khufu_factory_free(handle) }

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
