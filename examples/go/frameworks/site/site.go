// Package site has what the programs for net/http, chi, echo and gin share: the session
// factory, the page, and what it does with the session.
package site

import (
	"bytes"
	"cmp"
	"errors"
	"html/template"
	"os"

	khufu "github.com/khufu/khufu/bindings/go"
)

// Sessions makes the session factory. Its secret is KHUFU_SECRET.
func Sessions() (*khufu.Factory, error) {
	return khufu.NewFactory(khufu.Options{
		Secret:   cmp.Or(os.Getenv("KHUFU_SECRET"), "itsaseekreet"),
		Type:     khufu.Stored, // in memory
		HTTPOnly: true,
	})
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<title>Visits</title>
{{range .Session.Messages}}<p><em>{{.}}</em></p>
{{end}}<p>Hello, {{or .User "stranger"}}: visit {{.Visits}}.</p>
<form method="post" action="/login">
{{.Session.CSRFField}}
<label>name <input name="user" required></label>
<button>Log in</button>
</form>
`))

// Page returns the page for a visitor. It is complete before the first byte is sent, so that
// the template may change the session.
func Page(session *khufu.Session) ([]byte, error) {
	user, err := khufu.Get[string](session, "user")
	if err != nil && !errors.Is(err, khufu.ErrNotFound) {
		return nil, err
	}
	visits, err := session.Increment("visits", 1)
	if err != nil {
		return nil, err
	}
	var html bytes.Buffer
	err = page.Execute(&html, map[string]any{"Session": session, "User": user, "Visits": visits})
	return html.Bytes(), err
}

// LogIn makes the visitor a user.
func LogIn(session *khufu.Session, user string) error {
	return errors.Join(session.RegenerateID(), session.Set("user", user), session.Flash("Welcome, "+user+"."))
}
