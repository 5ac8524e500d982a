package khufu

// #include "callbacks.h"
import "C"

import (
	"errors"
	"math"
	"runtime/cgo"
	"strings"
	"time"
	"unsafe"
)

//export khufuGoLoad
func khufuGoLoad(store C.uintptr_t, key *C.char, keyLength C.size_t, sink *C.khufu_sink,
	generation *C.uint64_t) C.int32_t {
	return runCallback(func() error {
		record, found, err := storeForCall[Store](store).Load(copied(key, keyLength))
		if err != nil {
			return err
		}
		*generation = C.uint64_t(found)
		return write(sink, record)
	}, ErrNotFound)
}

//export khufuGoSave
func khufuGoSave(store C.uintptr_t, key *C.char, keyLength C.size_t, expected, generation C.uint64_t,
	record *C.char, recordLength C.size_t, ttl C.double) C.int32_t {
	return runCallback(func() error {
		return storeForCall[Store](store).Save(copied(key, keyLength), uint64(expected), uint64(generation),
			copiedBytes(record, recordLength), duration(ttl))
	}, ErrConflict, ErrGone)
}

//export khufuGoTouch
func khufuGoTouch(store C.uintptr_t, key *C.char, keyLength C.size_t, generation C.uint64_t,
	record *C.char, recordLength C.size_t, ttl C.double) C.int32_t {
	return runCallback(func() error {
		return storeForCall[Store](store).Touch(copied(key, keyLength), uint64(generation),
			copiedBytes(record, recordLength), duration(ttl))
	}, ErrConflict, ErrGone)
}

//export khufuGoRemove
func khufuGoRemove(store C.uintptr_t, key *C.char, keyLength C.size_t, expected C.uint64_t) C.int32_t {
	return runCallback(func() error {
		return storeForCall[Store](store).Remove(copied(key, keyLength), uint64(expected))
	}, ErrConflict, ErrGone)
}

//export khufuGoList
func khufuGoList(store C.uintptr_t, subject *C.char, subjectLength C.size_t, key *C.char, keyLength C.size_t,
	ttl C.double) C.int32_t {
	return runCallback(func() error {
		return storeForCall[SubjectStore](store).List(copied(subject, subjectLength), copied(key, keyLength), duration(ttl))
	})
}

//export khufuGoUnlist
func khufuGoUnlist(store C.uintptr_t, subject *C.char, subjectLength C.size_t, key *C.char,
	keyLength C.size_t) C.int32_t {
	return runCallback(func() error {
		return storeForCall[SubjectStore](store).Unlist(copied(subject, subjectLength), copied(key, keyLength))
	})
}

//export khufuGoMembers
func khufuGoMembers(store C.uintptr_t, subject *C.char, subjectLength C.size_t, sink *C.khufu_sink) C.int32_t {
	return runCallback(func() error {
		keys, err := storeForCall[SubjectStore](store).Members(copied(subject, subjectLength))
		if err != nil {
			return err
		}
		return write(sink, []byte(strings.Join(keys, "")))
	})
}

//export khufuGoLoads
func khufuGoLoads(serializer C.uintptr_t, payload *C.char, length C.size_t, sink *C.khufu_sink) C.int32_t {
	return runCallback(func() error {
		json, err := fromHandle[PayloadSerializer](serializer).Loads(copiedBytes(payload, length))
		if err != nil {
			return err
		}
		return write(sink, json)
	})
}

//export khufuGoDumps
func khufuGoDumps(serializer C.uintptr_t, json *C.char, length C.size_t, sink *C.khufu_sink) C.int32_t {
	return runCallback(func() error {
		payload, err := fromHandle[PayloadSerializer](serializer).Dumps(copiedBytes(json, length))
		if err != nil {
			return err
		}
		return write(sink, payload)
	})
}

//export khufuGoRelease
func khufuGoRelease(handle C.uintptr_t) { cgo.Handle(handle).Delete() }

// fromHandle returns the custom store or serializer that a handle refers to.
func fromHandle[T any](handle C.uintptr_t) T { return cgo.Handle(handle).Value().(T) }

// take returns the value that a handle refers to, if any, and frees the handle.
func take[T any](handle *C.uintptr_t) (value T, found bool) {
	if *handle == 0 {
		return value, false
	}
	defer func() {
		cgo.Handle(*handle).Delete()
		*handle = 0
	}()
	return fromHandle[T](*handle), true
}

// begin prepares a call into the core that may call a custom store or serializer. The caller
// must end it. Without a dialog, the store is called in the callbacks.
func begin(d *dialog) (call C.khufu_go_call) {
	if d != nil {
		call.dialog = C.uintptr_t(cgo.NewHandle(d))
	}
	return call
}

// storeForCall returns the custom store for the call that this thread is in.
func storeForCall[T Store](handle C.uintptr_t) T {
	if dialog := C.khufu_go_current_call().dialog; dialog != 0 {
		handle = dialog
	}
	return fromHandle[T](handle)
}

// runCallback calls a method of a custom store or serializer and returns its status. An
// error that is one of the expected statuses returns that status. Any other error, or a
// panic, returns ErrStore and becomes the cause of the error that the caller gets.
func runCallback(callback func() error, expected ...Status) (status C.int32_t) {
	defer func() {
		if fault := recover(); fault != nil {
			status = reportFailure(panicError(fault))
		}
	}()
	err := callback()
	switch err {
	case nil:
		return C.KHUFU_OK
	case errPending:
		return C.KHUFU_ERR_PENDING
	}
	for _, status := range expected {
		if errors.Is(err, status) {
			return C.int32_t(status)
		}
	}
	return reportFailure(err)
}

// reportFailure keeps an error as the cause for end, and returns ErrStore.
func reportFailure(err error) C.int32_t {
	call := C.khufu_go_current_call()
	take[error](&call.cause)
	call.cause = C.uintptr_t(cgo.NewHandle(err))
	return C.KHUFU_ERR_STORE
}

// end ends a call that was made by [begin], and sets the Cause of err to the error of the
// callback that failed, if any.
func end(call *C.khufu_go_call, err error) error {
	take[*dialog](&call.dialog)
	callbackErr, failed := take[error](&call.cause)
	if !failed {
		return err
	}
	var detailed *Error
	if errors.As(err, &detailed) && (detailed.Status == ErrStore || detailed.Status == ErrUnsupported) {
		detailed.Cause = callbackErr
		detailed.Detail += ": " + callbackErr.Error()
	}
	return err
}

func write(sink *C.khufu_sink, data []byte) error {
	status := C.khufu_sink_write(sink, (*C.char)(unsafe.Pointer(unsafe.SliceData(data))), C.size_t(len(data)))
	if status != C.KHUFU_OK {
		return Status(status)
	}
	return nil
}

// duration converts a time to live from seconds. It is negative if the record never expires.
func duration(ttl C.double) time.Duration {
	if ttl < 0 {
		return -1
	}
	return time.Duration(min(float64(ttl)*float64(time.Second), math.MaxInt64/2))
}
