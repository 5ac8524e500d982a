package khufu

// #include <khufu.h>
import "C"

import "runtime"

// CSRFToken returns the session's CSRF token, and makes one if there is none. Put it into
// your forms.
func (s *Session) CSRFToken() (string, error) {
	defer runtime.KeepAlive(s)
	var token *C.char
	var length C.size_t
	status := C.khufu_session_csrf_token(s.handleForCall(), &token, &length)
	return copied(token, length), s.check(status)
}

// NewCSRFToken replaces the session's CSRF token and returns the new one.
func (s *Session) NewCSRFToken() (string, error) {
	defer runtime.KeepAlive(s)
	var token *C.char
	var length C.size_t
	status := C.khufu_session_new_csrf_token(s.handleForCall(), &token, &length)
	return copied(token, length), s.check(status)
}

// CheckCSRFToken reports whether the token is the session's CSRF token. It compares in
// constant time. If the session has no token, every token is refused.
func (s *Session) CheckCSRFToken(token string) bool {
	defer runtime.KeepAlive(s)
	var valid C.bool
	status := C.khufu_session_check_csrf_token(s.handleForCall(), cString(token), cLength(token), &valid)
	return status == C.KHUFU_OK && bool(valid)
}
