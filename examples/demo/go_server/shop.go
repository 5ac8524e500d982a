package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"html/template"
	"log"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	khufu "github.com/khufu/khufu/bindings/go"
)

type shop struct {
	factory *khufu.Factory
	peers   []peer
}

func (s shop) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", s.page(s.show))
	mux.Handle("GET /session", s.page(s.showJSON))
	mux.Handle("POST /cart", s.page(s.addToCart))
	return mux
}

// Each article in the cart has a key of its own, so that a store can add up what concurrent requests add.
const cartPrefix = "cart."

// A reply is sent after the session is committed, because committing adds headers.
type reply struct {
	status      int
	contentType string
	body        []byte
}

func text(status int, message string) reply {
	return reply{status, "text/plain; charset=utf-8", []byte(message + "\n")}
}

// page opens the session before it calls handle, and commits it afterwards.
func (s shop) page(handle func(*http.Request, *khufu.Session) (reply, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := s.factory.OpenRequest(r)
		if err != nil {
			fail(w, err)
			return
		}
		defer session.Close()
		reply, err := handle(r, session)
		if err == nil {
			err = session.CommitTo(w.Header())
		}
		if err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", reply.contentType)
		if reply.status == http.StatusSeeOther {
			w.Header().Set("Location", "/")
		}
		w.WriteHeader(reply.status)
		w.Write(reply.body)
	})
}

func fail(w http.ResponseWriter, err error) {
	if errors.Is(err, khufu.ErrTooLarge) {
		http.Error(w, "the session is full", http.StatusRequestEntityTooLarge)
		return
	}
	log.Print(err)
	http.Error(w, "the session cannot be used", http.StatusInternalServerError)
}

func (s shop) addToCart(r *http.Request, session *khufu.Session) (reply, error) {
	if !session.CheckCSRFToken(r.PostFormValue("csrf_token")) {
		return text(http.StatusForbidden, "csrf_token: missing or wrong"), nil
	}
	sku := r.PostFormValue("sku")
	if length := utf8.RuneCountInString(sku); length < 1 || length > 40 || !utf8.ValidString(sku) {
		return text(http.StatusBadRequest, "sku: must have 1 to 40 characters"), nil
	}
	quantity, err := strconv.Atoi(r.PostFormValue("quantity"))
	if err != nil || quantity < 1 || quantity > 99 {
		return text(http.StatusBadRequest, "quantity: must be a number from 1 to 99"), nil
	}

	_, err = session.Increment(cartPrefix+sku, int64(quantity))
	return text(http.StatusSeeOther, "added to the cart"), err
}

// A view is what the server shows of a session.
type view struct {
	Server     string          `json:"server"`
	LoadResult string          `json:"load_result"`
	CSRFToken  string          `json:"csrf_token"`
	State      json.RawMessage `json:"state"`
	Flash      []any           `json:"flash"`
}

// newView reads a session.
func newView(session *khufu.Session) (v view, err error) {
	v.Server = "go"
	v.LoadResult = session.LoadResult().String()
	if v.CSRFToken, err = session.CSRFToken(); err != nil {
		return v, err
	}
	if err = session.PeekFlash("", &v.Flash); err != nil {
		return v, err
	}
	v.State, err = session.ToJSON()
	return v, err
}

func (s shop) showJSON(_ *http.Request, session *khufu.Session) (reply, error) {
	view, err := newView(session)
	if err != nil {
		return reply{}, err
	}
	body, err := json.Marshal(view)
	return reply{http.StatusOK, "application/json", append(body, '\n')}, err
}

func (s shop) show(_ *http.Request, session *khufu.Session) (reply, error) {
	view, err := newView(session)
	if err != nil {
		return reply{}, err
	}
	user, _ := session.GetString("user")
	cart := map[string]string{}
	for key, quantity := range session.All() {
		if sku, found := strings.CutPrefix(key, cartPrefix); found {
			cart[sku] = string(quantity)
		}
	}
	var body bytes.Buffer
	err = html.Execute(&body, map[string]any{
		"Session": view, "User": user, "Cart": cart, "State": string(view.State), "Peers": s.peers,
	})
	return reply{http.StatusOK, "text/html; charset=utf-8", body.Bytes()}, err
}

var html = template.Must(template.New("html").Parse(`<!doctype html>
<title>The cart, in Go</title>
<h1>The cart, in Go</h1>
<p>{{with .User}}{{.}} is logged in.{{else}}Nobody is logged in.{{end}}
The session: {{.Session.LoadResult}}.</p>
{{range .Session.Flash}}<p><em>{{.}}</em></p>
{{end}}<ul>
{{range $sku, $quantity := .Cart}}<li>{{$quantity}} × {{$sku}}</li>
{{else}}<li>The cart is empty.</li>
{{end}}</ul>
<form method="post" action="/cart">
<input type="hidden" name="csrf_token" value="{{.Session.CSRFToken}}">
<label>SKU <input name="sku" required maxlength="40"></label>
<label>quantity <input name="quantity" type="number" min="1" max="99" value="1" required></label>
<button>Add to the cart</button>
</form>
<pre>{{.State}}</pre>
<p>{{range .Peers}}<a href="{{.URL}}">{{.Name}}</a> {{end}}</p>
`))
