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
func khufuGoLoad(store C.uintptr_t, key *C.char, keyLength C.size_t, sink *C.khufu_sink, generation *C.uint64_t) C.int32_t {
	return answer(func() error {
		record, found, err := own[Store](store).Load(copied(key, keyLength))
		if err != nil {
			return err
		}
		*generation = C.uint64_t(found)
		return write(sink, record)
	}, ErrNotFound)
}

//export khufuGoSave
func khufuGoSave(store C.uintptr_t, key *C.char, keyLength C.size_t, expected, generation C.uint64_t, record *C.char, recordLength C.size_t, ttl C.double) C.int32_t {
	return answer(func() error {
		return own[Store](store).Save(copied(key, keyLength), uint64(expected), uint64(generation),
			copiedBytes(record, recordLength), duration(ttl))
	}, ErrConflict, ErrGone)
}

//export khufuGoTouch
func khufuGoTouch(store C.uintptr_t, key *C.char, keyLength C.size_t, generation C.uint64_t, record *C.char, recordLength C.size_t, ttl C.double) C.int32_t {
	return answer(func() error {
		return own[Store](store).Touch(copied(key, keyLength), uint64(generation), copiedBytes(record, recordLength), duration(ttl))
	}, ErrConflict, ErrGone)
}

//export khufuGoRemove
func khufuGoRemove(store C.uintptr_t, key *C.char, keyLength C.size_t, expected C.uint64_t) C.int32_t {
	return answer(func() error {
		return own[Store](store).Remove(copied(key, keyLength), uint64(expected))
	}, ErrConflict, ErrGone)
}

//export khufuGoList
func khufuGoList(store C.uintptr_t, subject *C.char, subjectLength C.size_t, key *C.char, keyLength C.size_t, ttl C.double) C.int32_t {
	return answer(func() error {
		return own[SubjectStore](store).List(copied(subject, subjectLength), copied(key, keyLength), duration(ttl))
	})
}

//export khufuGoUnlist
func khufuGoUnlist(store C.uintptr_t, subject *C.char, subjectLength C.size_t, key *C.char, keyLength C.size_t) C.int32_t {
	return answer(func() error {
		return own[SubjectStore](store).Unlist(copied(subject, subjectLength), copied(key, keyLength))
	})
}

//export khufuGoMembers
func khufuGoMembers(store C.uintptr_t, subject *C.char, subjectLength C.size_t, sink *C.khufu_sink) C.int32_t {
	return answer(func() error {
		keys, err := own[SubjectStore](store).Members(copied(subject, subjectLength))
		if err != nil {
			return err
		}
		return write(sink, []byte(strings.Join(keys, "")))
	})
}

//export khufuGoLoads
func khufuGoLoads(serializer C.uintptr_t, payload *C.char, length C.size_t, sink *C.khufu_sink) C.int32_t {
	return answer(func() error {
		json, err := own[PayloadSerializer](serializer).Loads(copiedBytes(payload, length))
		if err != nil {
			return err
		}
		return write(sink, json)
	})
}

//export khufuGoDumps
func khufuGoDumps(serializer C.uintptr_t, json *C.char, length C.size_t, sink *C.khufu_sink) C.int32_t {
	return answer(func() error {
		payload, err := own[PayloadSerializer](serializer).Dumps(copiedBytes(json, length))
		if err != nil {
			return err
		}
		return write(sink, payload)
	})
}

//export khufuGoRelease
func khufuGoRelease(handle C.uintptr_t) { cgo.Handle(handle).Delete() }

func own[T any](handle C.uintptr_t) T { return cgo.Handle(handle).Value().(T) }

// answer is what a callback returns: the status of its error if that is one of the
// answers that it may give, else ErrStore, and the error is left to be the cause. No
// panic may reach C.
func answer(callback func() error, answers ...Status) (status C.int32_t) {
	defer func() {
		if fault := recover(); fault != nil {
			err, isError := fault.(error)
			if !isError {
				err = fmt.Errorf("%v", fault)
			}
			status = leave(fmt.Errorf("panic: %w", err))
		}
	}()
	err := callback()
	if err == nil {
		return C.KHUFU_OK
	}
	for _, status := range answers {
		if errors.Is(err, status) {
			return C.int32_t(status)
		}
	}
	return leave(err)
}

func leave(err error) C.int32_t {
	take(C.khufu_go_leave_cause(C.uintptr_t(cgo.NewHandle(err))))
	return C.KHUFU_ERR_STORE
}

// take gives the error of a cause, and frees it.
func take(cause C.uintptr_t) error {
	if cause == 0 {
		return nil
	}
	handle := cgo.Handle(cause)
	defer handle.Delete()
	return handle.Value().(error)
}

// because makes the error of a callback, if there was one, the cause of the failure
// that it led to.
func because(cause C.uintptr_t, err error) error {
	led := take(cause)
	var detailed *Error
	if led != nil && errors.As(err, &detailed) && (detailed.Status == ErrStore || detailed.Status == ErrUnsupported) {
		detailed.Cause = led
		detailed.Detail += ": " + led.Error()
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

// duration is a time to live: negative if the record is kept for ever.
func duration(ttl C.double) time.Duration {
	if ttl < 0 {
		return -1
	}
	return time.Duration(min(float64(ttl)*float64(time.Second), math.MaxInt64/2))
}
