package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

//go:embed layout.html
var layoutText string

var layout = template.Must(template.New("layout").Parse(layoutText))

// A language is that of a server.
type language struct{ Name, Library string }

var languages = map[string]language{
	"pyramid": {"Python", "Pyramid"},
	"go":      {"Go", "net/http"},
	"ruby":    {"Ruby", "Sinatra"},
	"c":       {"C", "libmicrohttpd"},
	"cpp":     {"C++", "cpp-httplib"},
}

// Language returns the language of the page's server.
func (p page) Language() string { return languages[p.Server].Name }

// An exchange is a request, and what was sent for it after the session was committed.
type exchange struct {
	Request, By string
	Status      int
	Note        string
	Cookies     []string // the Set-Cookie headers
}

// explanations says what a load result means.
var explanations = map[khufu.LoadResult]string{
	khufu.LoadNone:             "The browser had no cookie.",
	khufu.Loaded:               "The browser's cookie is genuine.",
	khufu.LoadedPreviousSecret: "The cookie is genuine. It was made with the previous secret, so it was made anew.",
	khufu.LoadExpired:          "The session was not used for too long.",
	khufu.LoadBadSignature:     "The cookie was changed or forged, so it was refused.",
	khufu.LoadMissing:          "The session was ended. The store has it no more.",
}

// lookAt notes what a server answers. It puts pages and errors into the layout.
func (s *site) lookAt(response *http.Response, server string) error {
	r := response.Request
	this := exchange{
		Request: r.Method + " " + r.URL.Path, By: languages[server].Name, Status: response.StatusCode,
		Cookies: response.Header["Set-Cookie"],
	}
	sent := sessionCookie(r)
	kept := sent
	for _, cookie := range response.Cookies() {
		if cookie.Name == "session" {
			kept = cookie.Value
		}
	}
	if response.StatusCode == http.StatusSeeOther {
		s.redirects.Store(kept, this)
		return nil
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	failed := response.StatusCode >= 400
	if kind != "text/html" && !failed {
		return nil
	}

	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	view := view{Pages: s.pages, Server: server, Language: languages[server], Path: r.URL.Path, Stored: s.stored()}
	if failed {
		view.Refusal = string(body)
	} else {
		view.Body = template.HTML(body)
	}
	if last, found := s.redirects.LoadAndDelete(sent); found {
		view.Exchanges = append(view.Exchanges, last.(exchange))
	}
	view.Exchanges = append(view.Exchanges, this)
	if err := view.read(s.factory, r, sent, kept); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := layout.Execute(&text, view); err != nil {
		return err
	}
	response.Body = io.NopCloser(&text)
	response.ContentLength = int64(text.Len())
	response.Header.Set("Content-Length", strconv.Itoa(text.Len()))
	response.Header.Set("Content-Type", "text/html; charset=utf-8")
	return nil
}

// A view is what the layout shows.
type view struct {
	Pages     []page
	Server    string
	Language  language
	Path      string
	Body      template.HTML // the page, as the server wrote it
	Refusal   string        // the server's text, if it refused the request
	Exchanges []exchange
	Stored    bool

	Found, Explanation string // how the cookie that the browser sent was opened
	User, CSRFToken    string
	Age                string
	Bytes, CookieBytes int
	Contents           []entry
}

type entry struct{ Key, JSON string }

// Title returns the page's title.
func (v view) Title() string {
	for _, page := range v.Pages {
		if page.Path == v.Path {
			return page.Title
		}
	}
	return "No page"
}

// read opens the cookie that the browser sent, to see how it is found, and then the one that it keeps
// after the answer.
func (v *view) read(factory *khufu.Factory, r *http.Request, sent, kept string) error {
	before, err := open(factory, r, sent)
	if err != nil {
		return err
	}
	defer before.Close()
	v.Found, v.Explanation = before.LoadResult().String(), explanations[before.LoadResult()]

	session, err := open(factory, r, kept)
	if err != nil {
		return err
	}
	defer session.Close()
	v.User, _ = session.GetString("user")
	v.CSRFToken, _ = session.GetString("_csrft_")
	v.Age = age(time.Since(session.Created()))
	for key, value := range session.All() {
		v.Contents = append(v.Contents, entry{key, string(value)})
	}
	text, err := session.ToJSON()
	v.Bytes, v.CookieBytes = len(text), len(kept)
	return err
}

// open opens the session in a cookie's value, which is empty if there is no cookie.
func open(factory *khufu.Factory, r *http.Request, value string) (*khufu.Session, error) {
	if value == "" {
		return factory.OpenContext(r.Context(), "", khufu.Passive())
	}
	return factory.OpenValue(r.Context(), value, khufu.Passive())
}

func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	default:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
}
