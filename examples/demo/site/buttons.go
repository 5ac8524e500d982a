package main

import (
	"bufio"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	khufu "github.com/khufu/khufu/bindings/go"
)

// checked calls handle if the form has the CSRF token of the session.
func (s *site) checked(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.hasToken(r) {
			http.Error(w, "csrf_token: missing or wrong", http.StatusForbidden)
			return
		}
		handle(w, r)
	}
}

func (s *site) hasToken(r *http.Request) bool {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	session, err := s.factory.OpenRequest(r, khufu.Passive())
	if err != nil {
		log.Print(err)
		return false
	}
	defer session.Close()
	return session.CheckCSRFToken(r.PostFormValue("csrf_token"))
}

// tamper changes one character of the session's cookie, as a forger would.
func (s *site) tamper(w http.ResponseWriter, r *http.Request) {
	value := []byte(sessionCookie(r))
	middle := &value[len(value)/2] // a session with a token has a cookie
	if *middle != 'A' {
		*middle = 'A'
	} else {
		*middle = 'B'
	}
	cookie := &http.Cookie{Name: "session", Value: string(value), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	http.SetCookie(w, cookie)
	s.redirects.Store(cookie.Value, exchange{
		Request: "POST /tamper", By: "the site", Note: "One character of the cookie was changed.", Cookies: []string{cookie.String()},
	})
	path := "/"
	for _, page := range s.pages {
		if page.Path == r.PostFormValue("page") {
			path = page.Path
		}
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// changeSecret asks demo.py for a new secret, by a line on standard output, and waits until the
// servers have restarted with it. The line that demo.py answers has the new secret and the one that
// still opens sessions, if any.
//
// It then shows a page whose server uses khufu, which writes the cookie again with the new secret.
// Pyramid's own session factory has only one secret, so it can open the cookie after that.
func (s *site) changeSecret(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	command := strings.TrimPrefix(r.URL.Path, "/")
	fmt.Println(command)
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err == nil {
		secret, previous, _ := strings.Cut(strings.TrimSpace(line), " ")
		err = s.useSecrets(secret, previous)
	}
	if err != nil {
		log.Print(err)
		http.Error(w, "The secret could not be changed.", http.StatusInternalServerError)
		return
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	note := "The servers have a new secret. The previous one still opens sessions."
	if command == "replace" {
		note = "The servers have a new secret, and forgot the previous one."
	}
	s.redirects.Store(sessionCookie(r), exchange{Request: "POST " + r.URL.Path, By: "the site", Note: note})
	http.Redirect(w, r, "/shop", http.StatusSeeOther)
}

// sessionCookie returns the value of the request's session cookie, or "".
func sessionCookie(r *http.Request) string {
	cookie, err := r.Cookie("session")
	if err != nil {
		return ""
	}
	return cookie.Value
}
