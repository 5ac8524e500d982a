package khufu

// #include "callbacks.h"
import "C"

import (
	"fmt"
	"time"
)

// Value returns the value that the session's cookie has now. You can send it in another way
// than as a cookie, and open it with [Factory.OpenValue]. The error is [ErrNotFound] if the
// browser has no cookie or must delete it, or if a session in a cookie has changes that are
// not committed.
func (s *Session) Value() (string, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var value *C.char
	var length C.size_t
	var call C.khufu_go_call
	status := C.khufu_go_value(s.handleForCall(), &value, &length, &call)
	if err := end(&call, s.check(status)); err != nil {
		return "", err
	}
	return copied(value, length), nil
}

// SetLifetime sets how long the session lives when it is not used ("remember me"), in whole
// seconds. 0 means that the options decide. A store keeps the lifetime: from now on it
// replaces Timeout and MaxAge for this session. A cookie cannot keep it, and neither can
// another library's record: there it is only the Max-Age of the next commit's cookie.
func (s *Session) SetLifetime(lifetime time.Duration) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if lifetime < 0 || lifetime%time.Second != 0 {
		return &Error{Status: ErrArgument, Detail: fmt.Sprintf("a lifetime must be whole seconds, not %v", lifetime)}
	}
	return s.checkChange(C.khufu_session_set_lifetime(s.handleForChange(), C.uint64_t(lifetime/time.Second)))
}

// SetAttribute sets an attribute of the next commit's cookie: max_age, secure, httponly,
// samesite or partitioned, to a value that the option of this name accepts. An empty value
// unsets it. If there is no such attribute, or browsers would drop the cookie, the error is
// [ErrOption].
func (s *Session) SetAttribute(name, value string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.checkChange(C.khufu_session_set_attribute(s.handleForChange(), cString(name), cLength(name),
		cString(value), cLength(value)))
}
