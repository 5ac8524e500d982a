package khufu

// #include "callbacks.h"
import "C"

import (
	"errors"
	"fmt"
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
		record, found, err := fromHandle[Store](store).Load(copied(key, keyLength))
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
		return fromHandle[Store](store).Save(copied(key, keyLength), uint64(expected), uint64(generation),
			copiedBytes(record, recordLength), duration(ttl))
	}, ErrConflict, ErrGone)
}

//export khufuGoTouch
func khufuGoTouch(store C.uintptr_t, key *C.char, keyLength C.size_t, generation C.uint64_t,
	record *C.char, recordLength C.size_t, ttl C.double) C.int32_t {
	return runCallback(func() error {
		return fromHandle[Store](store).Touch(copied(key, keyLength), uint64(generation),
			copiedBytes(record, recordLength), duration(ttl))
	}, ErrConflict, ErrGone)
}

//export khufuGoRemove
func khufuGoRemove(store C.uintptr_t, key *C.char, keyLength C.size_t, expected C.uint64_t) C.int32_t {
	return runCallback(func() error {
		return fromHandle[Store](store).Remove(copied(key, keyLength), uint64(expected))
	}, ErrConflict, ErrGone)
}

//export khufuGoList
func khufuGoList(store C.uintptr_t, subject *C.char, subjectLength C.size_t, key *C.char, keyLength C.size_t,
	ttl C.double) C.int32_t {
	return runCallback(func() error {
		return fromHandle[SubjectStore](store).List(copied(subject, subjectLength), copied(key, keyLength), duration(ttl))
	})
}

//export khufuGoUnlist
func khufuGoUnlist(store C.uintptr_t, subject *C.char, subjectLength C.size_t, key *C.char,
	keyLength C.size_t) C.int32_t {
	return runCallback(func() error {
		return fromHandle[SubjectStore](store).Unlist(copied(subject, subjectLength), copied(key, keyLength))
	})
}

//export khufuGoMembers
func khufuGoMembers(store C.uintptr_t, subject *C.char, subjectLength C.size_t, sink *C.khufu_sink) C.int32_t {
	return runCallback(func() error {
		keys, err := fromHandle[SubjectStore](store).Members(copied(subject, subjectLength))
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

// runCallback calls a method of a custom store or serializer and returns its status. An
// error that is one of the expected statuses returns that status. Any other error, or a
// panic, returns ErrStore and becomes the cause of the error that the caller gets.
func runCallback(callback func() error, expected ...Status) (status C.int32_t) {
	defer func() {
		if fault := recover(); fault != nil {
			err, isError := fault.(error)
			if !isError {
				err = fmt.Errorf("%v", fault)
			}
			status = reportFailure(fmt.Errorf("panic: %w", err))
		}
	}()
	err := callback()
	if err == nil {
		return C.KHUFU_OK
	}
	for _, status := range expected {
		if errors.Is(err, status) {
			return C.int32_t(status)
		}
	}
	return reportFailure(err)
}

// reportFailure keeps an error as the cause for withCause, and returns ErrStore.
func reportFailure(err error) C.int32_t {
	takeCause(C.khufu_go_replace_cause(C.uintptr_t(cgo.NewHandle(err))))
	return C.KHUFU_ERR_STORE
}

// takeCause returns the error that a cause refers to, and frees the cause.
func takeCause(cause C.uintptr_t) error {
	if cause == 0 {
		return nil
	}
	handle := cgo.Handle(cause)
	defer handle.Delete()
	return handle.Value().(error)
}

// withCause sets the Cause of err to the error of the callback that failed, if any.
func withCause(cause C.uintptr_t, err error) error {
	callbackErr := takeCause(cause)
	if callbackErr == nil {
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
