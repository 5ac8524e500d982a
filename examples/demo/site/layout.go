package main

import (
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

//go:embed layout.html
var layoutText string

var layout = template.Must(template.New("layout").Parse(layoutText))

// A view is the data that the layout shows.
type view struct {
	Pages     []page
	Server    server
	Path      string
	Exchanges []exchange

	Body             template.HTML // the page, as the server wrote it
	Problem, Refusal string        // the status and the server's text, if it refused the request

	Stored             bool
	Found, Explanation string // the load result of the cookie that the browser sent
	User, CSRFToken    string
	Age                string
	Bytes, CookieBytes int
	Contents           []entry
}

// An entry is a key of the session and its value.
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

var explanations = map[khufu.LoadResult]string{
	khufu.LoadNone:             "The browser had no cookie, so this session is new.",
	khufu.Loaded:               "The browser's cookie is genuine.",
	khufu.LoadedPreviousSecret: "The browser's cookie was made with the previous secret. It is replaced.",
	khufu.LoadExpired:          "The session was not used for too long. This one is new.",
	khufu.LoadBadSignature:     "The browser's cookie was changed, or made with an unknown secret. This session is new.",
	khufu.LoadMissing:          "The store does not have the session any more. This one is new.",
}

// read sets the load result of the cookie that the browser sent, and the contents of the session
// that the browser has after the answer.
func (v *view) read(ctx context.Context, factory *khufu.Factory, sent, kept string) error {
	before, err := open(ctx, factory, sent)
	if err != nil {
		return err
	}
	defer before.Close()
	v.Found, v.Explanation = before.LoadResult().String(), explanations[before.LoadResult()]

	session, err := open(ctx, factory, kept)
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

// open opens the session of a cookie's value, which is "" if there is no cookie. It never renews
// the session.
func open(ctx context.Context, factory *khufu.Factory, value string) (*khufu.Session, error) {
	if value == "" {
		return factory.OpenContext(ctx, "", khufu.Passive())
	}
	return factory.OpenValue(ctx, value, khufu.Passive())
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
