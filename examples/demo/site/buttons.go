package main

import (
	"bufio"
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"

	khufu "github.com/khufu/khufu/bindings/go"
)

// checked returns a handler that calls handle if the form has the CSRF token of the session.
func (s *site) checked(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.hasToken(r) {
			handle(w, r)
		} else {
			http.Error(w, "csrf_token: missing or wrong", http.StatusForbidden)
		}
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

// tamper changes one character of the session's cookie, and shows the page again.
func (s *site) tamper(w http.ResponseWriter, r *http.Request) {
	value := sessionCookie(r.Cookies())
	middle := len(value) / 2
	changed := "A"
	if strings.HasPrefix(value[middle:], "A") {
		changed = "B"
	}
	cookie := &http.Cookie{
		Name: "session", Value: value[:middle] + changed + value[min(middle+1, len(value)):],
		Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	http.SetCookie(w, cookie)
	s.redirects.Store(cookie.Value, exchange{
		Request: "POST /tamper", By: "the site", Note: "One character of the cookie was changed.",
		Cookies: []string{cookie.String()},
	})
	path := r.PostFormValue("page")
	if !slices.ContainsFunc(pages, func(page page) bool { return page.Path == path }) {
		path = "/"
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// changeSecret asks origin.py for a new secret, with a line on standard output, and waits until the
// servers have restarted with it. The answer has the new secret, and the previous one if that still
// opens sessions.
//
// The next page is the one in Go, where khufu writes the cookie again with the new secret. Pyramid's
// own session factory knows no previous secret, so it can open only the new cookie.
func (s *site) changeSecret(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	fmt.Println(strings.TrimPrefix(r.URL.Path, "/"))
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	secret, previous, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err == nil {
		err = s.useSecrets(secret, previous)
	}
	if err != nil {
		log.Print(err)
		http.Error(w, "The secret could not be changed.", http.StatusInternalServerError)
		return
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() // to the servers that have ended
	note := "The servers have a new secret. The previous one still opens sessions."
	if previous == "" {
		note = "The servers have a new secret, and do not know the previous one."
	}
	s.redirects.Store(sessionCookie(r.Cookies()), exchange{Request: "POST " + r.URL.Path, By: "the site", Note: note})
	http.Redirect(w, r, "/shop", http.StatusSeeOther)
}
