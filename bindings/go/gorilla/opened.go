package gorilla

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/gorilla/sessions"
	khufu "github.com/khufu/khufu/bindings/go"
)

// opened is the session in khufu that belongs to a [sessions.Session].
type opened struct {
	session *khufu.Session
	err     error          // why there is no session
	values  map[string]any // as they were opened or last saved
	isDue   bool           // the response needs the cookie, even if its value is not new
	sent    string         // the Set-Cookie value of an earlier Save in this request
}

// A response is what a commit of a session adds headers to.
type response struct {
	ctx     context.Context
	header  http.Header
	session *sessions.Session
}

// update makes the changes in khufu's session that an application made in its values.
func (o *opened) update(values map[any]any) error {
	changes, err := o.changes(values)
	if err != nil {
		return err
	}
	if err := changes.apply(o.session); err != nil {
		return err
	}
	o.values = make(map[string]any, len(values))
	for key, value := range values {
		o.values[key.(string)] = clone(value)
	}
	return nil
}

// commit commits the session, and sets its cookie if the browser needs it.
func (o *opened) commit(r response) error {
	if o.isDue {
		if err := o.session.MarkChanged(); err != nil {
			return err
		}
	}
	needsCookie, err := o.commitHeaders(r)
	if errors.Is(err, khufu.ErrGone) {
		o.dropCookie(r)
	}
	if err != nil {
		return err
	}
	if !needsCookie && !o.isDue {
		return nil
	}
	value, err := o.session.Value()
	if errors.Is(err, khufu.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	// Browsers drop a larger cookie without a word.
	const most = 4096
	if length := len(r.session.Name()) + len(value); length > most {
		return &khufu.Error{Status: khufu.ErrTooLarge,
			Detail: fmt.Sprintf("the cookie's name and value have %d bytes, and browsers keep at most %d", length, most)}
	}
	o.isDue = false
	r.session.ID, _ = o.session.ID()
	o.setCookie(r, value)
	return nil
}

// end ends the session, and removes its cookie from the browser even if khufu's store fails.
func (o *opened) end(r response) error {
	o.values, o.isDue = nil, false
	if err := o.session.Invalidate(); err != nil {
		return err
	}
	_, err := o.commitHeaders(r)
	o.setCookie(r, "")
	return err
}

// commitHeaders commits the session, merges the headers about caching into those of the
// response, and reports whether the browser needs a cookie.
func (o *opened) commitHeaders(r response) (needsCookie bool, err error) {
	header := http.Header{}
	names := []string{"Vary", "Cache-Control"}
	for _, name := range names {
		if lines := r.header[name]; lines != nil {
			header[name] = lines
		}
	}
	// A logout must hold even if the client goes away.
	err = o.session.CommitToContext(context.WithoutCancel(r.ctx), header)
	for _, name := range names {
		if lines := header[name]; lines != nil {
			r.header[name] = lines
		}
	}
	return len(header["Set-Cookie"]) > 0, err
}

// dropCookie removes the cookie of an earlier Save from the response.
func (o *opened) dropCookie(r response) {
	others := slices.DeleteFunc(r.header["Set-Cookie"], func(line string) bool { return line == o.sent })
	if r.header["Set-Cookie"] = others; len(others) == 0 {
		delete(r.header, "Set-Cookie")
	}
}

// setCookie sets the session's cookie, instead of that of an earlier Save.
func (o *opened) setCookie(r response, value string) {
	o.dropCookie(r)
	o.sent = sessions.NewCookie(r.session.Name(), value, r.session.Options).String()
	r.header.Add("Set-Cookie", o.sent)
}
