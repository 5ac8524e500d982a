package khufu

// #include "callbacks.h"
import "C"

import "runtime/cgo"

// A builder has the options of a factory in the core. It must be freed.
type builder struct {
	handle *C.khufu_options
}

func newBuilder() (builder, error) {
	if C.khufu_abi_version() != C.KHUFU_ABI_VERSION {
		return builder{}, ErrVersion
	}
	return builder{C.khufu_options_new()}, nil
}

func (b builder) free() { C.khufu_options_free(b.handle) }

// check returns the error of a call with these options.
func (b builder) check(status C.khufu_status) error {
	if status == C.KHUFU_OK {
		return nil
	}
	return &Error{Status: Status(status), Detail: C.GoString(C.khufu_options_error(b.handle))}
}

// apply sets all options.
func (b builder) apply(options Options) error {
	if err := b.set(options.fields()); err != nil {
		return err
	}
	for _, file := range options.loaded {
		if err := b.load(file); err != nil {
			return err
		}
	}
	if err := b.set(options.Settings); err != nil {
		return err
	}
	if err := b.setStore(options.CustomStore); err != nil {
		return err
	}
	return b.setSerializer(options.CustomSerializer)
}

func (b builder) set(settings []Setting) error {
	for _, setting := range settings {
		status := C.khufu_options_set(b.handle,
			cString(setting.Name), cLength(setting.Name), cString(setting.Value), cLength(setting.Value))
		if err := b.check(status); err != nil {
			return err
		}
	}
	return nil
}

func (b builder) load(file iniFile) error {
	return b.check(C.khufu_options_load(b.handle, cString(file.text), cLength(file.text),
		cString(file.section), cLength(file.section), cString(file.prefix), cLength(file.prefix)))
}

func (b builder) setStore(store Store) error {
	if store == nil {
		return nil
	}
	handle := cgo.NewHandle(store)
	_, keepsSubjects := store.(SubjectStore)
	err := b.check(C.khufu_go_set_store(b.handle, C.uintptr_t(handle), C.bool(keepsSubjects)))
	if err != nil {
		handle.Delete()
	}
	return err
}

func (b builder) setSerializer(serializer PayloadSerializer) error {
	if serializer == nil {
		return nil
	}
	handle := cgo.NewHandle(serializer)
	err := b.check(C.khufu_go_set_serializer(b.handle, C.uintptr_t(handle)))
	if err != nil {
		handle.Delete()
	}
	return err
}
