package khufu

// #include <khufu.h>
import "C"

import (
	"html"
	"html/template"
	"net/http"
)

// CheckCSRF returns a handler that checks the CSRF tokens of unsafe requests, within
// [Factory.Middleware]. It calls next if the method is GET, HEAD, OPTIONS or TRACE, or if
// [Session.CheckCSRFRequest] accepts the request. Otherwise the status is 403.
func CheckCSRF(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		default:
			if !FromContext(r.Context()).CheckCSRFRequest(r) {
				http.Error(w, "The form has expired. Reload the page and send it again.", http.StatusForbidden)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// CSRFToken returns the session's CSRF token, and makes one if there is none. Put it into
// your forms.
func (s *Session) CSRFToken() (string, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var token *C.char
	var length C.size_t
	status := C.khufu_session_csrf_token(s.handleForChange(), &token, &length)
	return copied(token, length), s.checkChange(status)
}

// CSRFField returns a hidden field with the session's CSRF token for a form of html/template:
// {{.Session.CSRFField}}. Its name is csrf_token, as in Pyramid.
func (s *Session) CSRFField() (template.HTML, error) {
	token, err := s.CSRFToken()
	if err != nil {
		return "", err
	}
	return template.HTML(`<input type="hidden" name="csrf_token" value="` + html.EscapeString(token) + `">`), nil
}

// NewCSRFToken replaces the session's CSRF token and returns the new one.
func (s *Session) NewCSRFToken() (string, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var token *C.char
	var length C.size_t
	status := C.khufu_session_new_csrf_token(s.handleForChange(), &token, &length)
	return copied(token, length), s.checkChange(status)
}

// CheckCSRFToken reports whether the token is the session's CSRF token. It compares in
// constant time. If the session has no token, every token is refused.
func (s *Session) CheckCSRFToken(token string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var valid C.bool
	status := C.khufu_session_check_csrf_token(s.handleForCall(), cString(token), cLength(token), &valid)
	return status == C.KHUFU_OK && bool(valid)
}

// CheckCSRFRequest reports whether a request has the session's CSRF token, as Pyramid does: in
// the header X-CSRF-Token or, without that header, in the field csrf_token of its form. Only
// requests with the method POST, PUT or PATCH have a form.
func (s *Session) CheckCSRFRequest(r *http.Request) bool {
	token := r.Header.Get("X-CSRF-Token")
	if token == "" {
		token = r.PostFormValue("csrf_token")
	}
	return s.CheckCSRFToken(token)
}
