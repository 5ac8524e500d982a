package main

import (
	"bytes"
	"html/template"
	"io"
	"mime"
	"net/http"
	"strconv"
)

// An exchange is a request, and the session cookies that its response sets.
type exchange struct {
	Request, By string
	Status      int
	Note        string
	Cookies     []string // the Set-Cookie headers
}

// finish records the cookies that a server's answer sets, and puts a page or an error into the
// layout.
func (s *site) finish(response *http.Response, server server) error {
	request := response.Request
	this := exchange{
		Request: request.Method + " " + request.URL.Path,
		By:      server.Language,
		Status:  response.StatusCode,
		Cookies: response.Header["Set-Cookie"],
	}
	sent := sessionCookie(request.Cookies())
	kept := sent // the cookie that the browser has after the answer
	if len(this.Cookies) > 0 {
		kept = sessionCookie(response.Cookies())
	}
	if response.StatusCode == http.StatusSeeOther {
		s.redirects.Store(kept, this)
		return nil
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	refused := response.StatusCode >= 400
	if kind != "text/html" && !refused {
		return nil
	}

	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	view := view{Pages: s.pages(), Server: server, Path: request.URL.Path, Stored: s.store != ""}
	if refused {
		view.Problem, view.Refusal = http.StatusText(response.StatusCode), string(body)
	} else {
		view.Body = template.HTML(body)
	}
	if last, found := s.redirects.LoadAndDelete(sent); found {
		view.Exchanges = append(view.Exchanges, last.(exchange))
	}
	view.Exchanges = append(view.Exchanges, this)
	if err := view.read(request.Context(), s.factory, sent, kept); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := layout.Execute(&text, view); err != nil {
		return err
	}
	response.Body = io.NopCloser(&text)
	response.Header.Set("Content-Length", strconv.Itoa(text.Len()))
	response.Header.Set("Content-Type", "text/html; charset=utf-8")
	return nil
}

// sessionCookie returns the value of the session's cookie, or "".
func sessionCookie(cookies []*http.Cookie) string {
	for _, cookie := range cookies {
		if cookie.Name == "session" {
			return cookie.Value
		}
	}
	return ""
}
