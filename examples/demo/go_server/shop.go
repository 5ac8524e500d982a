package main

import (
	"bytes"
	"encoding/json"
	"html/template"
	"log"
	"net/http"
	"strconv"
	"unicode/utf8"

	khufu "github.com/khufu/khufu/bindings/go"
)

// shop returns the pages. They are called within the middleware, so each request has a session.
func shop() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /shop", show)
	mux.HandleFunc("POST /shop", addToCart)
	mux.HandleFunc("GET /session", showJSON)
	return mux
}

// Each article in the cart has a key of its own, so that a store can add up what concurrent requests add.
const cartPrefix = "cart."

func addToCart(w http.ResponseWriter, r *http.Request) {
	sku := r.PostFormValue("sku")
	if length := utf8.RuneCountInString(sku); length < 1 || length > 40 || !utf8.ValidString(sku) {
		http.Error(w, "sku: must have 1 to 40 characters", http.StatusBadRequest)
		return
	}
	quantity, err := strconv.Atoi(r.PostFormValue("quantity"))
	if err != nil || quantity < 1 || quantity > 99 {
		http.Error(w, "quantity: must be a number from 1 to 99", http.StatusBadRequest)
		return
	}
	if _, err := khufu.FromContext(r.Context()).Increment(cartPrefix+sku, int64(quantity)); err != nil {
		http.Error(w, "The article could not be added to the cart.", http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, "/shop", http.StatusSeeOther)
}

var page = template.Must(template.New("shop").Parse(`<h1>The shop</h1>
{{range .Session.Messages}}<p class="message">{{.}}</p>
{{end}}<p>Everything is free. <a href="/cart">Look at your cart</a></p>
<ul class="articles">
{{range .Articles}}<li>
<svg aria-hidden="true"><use href="/articles.svg#{{.SKU}}"/></svg>
<h2>{{.SKU}}</h2>
<p>{{with .InCart}}{{.}} in the cart{{else}}&nbsp;{{end}}</p>
<form method="post" action="/shop">
{{$.Session.CSRFField}}
<input type="hidden" name="sku" value="{{.SKU}}">
<input type="hidden" name="quantity" value="1">
<button aria-label="Add {{.SKU}} to the cart">Add</button>
</form>
</li>
{{end}}</ul>
`))

type article struct {
	SKU    string
	InCart int
}

func show(w http.ResponseWriter, r *http.Request) {
	session := khufu.FromContext(r.Context())
	var articles []article
	for _, sku := range []string{"Papyrus", "Ink", "Lamp", "Sandals", "Scarab", "Barge"} {
		quantity, _ := khufu.Get[int](session, cartPrefix+sku)
		articles = append(articles, article{sku, quantity})
	}
	var body bytes.Buffer // because the page pops the messages, which must happen before the response begins
	if err := page.Execute(&body, map[string]any{"Session": session, "Articles": articles}); err != nil {
		log.Print(err)
		http.Error(w, "The page cannot be shown.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	body.WriteTo(w)
}

// showJSON shows the whole session. If the session fails, the middleware answers.
func showJSON(w http.ResponseWriter, r *http.Request) {
	session := khufu.FromContext(r.Context())
	token, _ := session.CSRFToken()
	state, _ := session.ToJSON()
	messages := []any{}
	session.PeekFlash("", &messages)
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(struct {
		Server     string          `json:"server"`
		LoadResult string          `json:"load_result"`
		CSRFToken  string          `json:"csrf_token"`
		State      json.RawMessage `json:"state"`
		Flash      []any           `json:"flash"`
	}{"go", session.LoadResult().String(), token, state, messages})
}
