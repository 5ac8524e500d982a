//go:build !cgo

package khufu

// The compiler shows this text first if cgo is off.
type _ ["this package needs cgo: set CGO_ENABLED=1 and install a C compiler, such as gcc"]int
