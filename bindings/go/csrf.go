package khufu

// #include <khufu.h>
import "C"

import "runtime"

// CSRFToken gives the session's CSRF token, and makes one where there is none. Forms
// send it back.
func (s *Session) CSRFToken() (string, error) {
	defer runtime.KeepAlive(s)
	var token *C.char
	var length C.size_t
	status := C.khufu_session_csrf_token(s.use(), &token, &length)
	return copied(token, length), s.check(status)
}

// NewCSRFToken replaces the session's CSRF token.
func (s *Session) NewCSRFToken() (string, error) {
	defer runtime.KeepAlive(s)
	var token *C.char
	var length C.size_t
	status := C.khufu_session_new_csrf_token(s.use(), &token, &length)
	return copied(token, length), s.check(status)
}

// CheckCSRFToken says whether a token is the session's, in constant time. A session
// that has none refuses every token.
func (s *Session) CheckCSRFToken(token string) bool {
	defer runtime.KeepAlive(s)
	var valid C.bool
	status := C.khufu_session_check_csrf_token(s.use(), chars(token), size(token), &valid)
	return status == C.KHUFU_OK && bool(valid)
}
