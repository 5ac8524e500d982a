package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	khufu "github.com/khufu/khufu/bindings/go"
)

// block 3

var store = memstore.New()

// theirs is the manager of the old site.
var theirs *scs.SessionManager

func before(mux http.Handler) http.Handler {
	// block 1
	theirs = manager
	return handler
}

func after(mux http.Handler, secret string) http.Handler {
	// block 2
	return handler
}

func oldSite(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/login" {
		theirs.Put(r.Context(), "user", "ada")
	}
	fmt.Fprint(w, theirs.GetString(r.Context(), "user"))
}

func newSite(w http.ResponseWriter, r *http.Request) {
	session := khufu.FromContext(r.Context())
	if r.URL.Path == "/logout" {
		session.Invalidate()
	}
	user, _ := session.GetString("user") // empty if nobody has logged in
	fmt.Fprint(w, user)
}

func main() {
	old, new := before(http.HandlerFunc(oldSite)), after(http.HandlerFunc(newSite), "secret")
	ada := browser{}
	ada.visit(old, "/login")
	token := ada["session"]
	moved := checkMove(old, new)
	check("the old site does not know the visitor", moved.visit(old, "/"), "")

	ada.visit(new, "/")
	ctx, err := theirs.Load(context.Background(), token)
	if err != nil {
		log.Fatal(err)
	}
	left := time.Until(theirs.Deadline(ctx))
	check("the old session ends soon", fmt.Sprint(left > 0 && left <= 10*time.Second), "true")

	manager := scs.New()
	printed.Theirs = map[string]any{
		"Lifetime": manager.Lifetime.Seconds(), "IdleTimeout": manager.IdleTimeout.Seconds(),
		"Cookie.Name": manager.Cookie.Name, "Cookie.Path": manager.Cookie.Path, "Cookie.HttpOnly": manager.Cookie.HttpOnly,
		"Cookie.Secure": manager.Cookie.Secure, "Cookie.SameSite": sameSite(manager.Cookie.SameSite),
		"Cookie.Persist": manager.Cookie.Persist,
	}
	show()
}
