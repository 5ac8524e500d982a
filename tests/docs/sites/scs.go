package main

import (
	"context"
	"errors"
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

// timeLeft returns how long a session of scs lives if it is not used.
func timeLeft(token string) time.Duration {
	ctx, err := theirs.Load(context.Background(), token)
	if err != nil {
		log.Fatal(err)
	}
	return time.Until(theirs.Deadline(ctx))
}

func main() {
	old, new := before(http.HandlerFunc(oldSite)), after(http.HandlerFunc(newSite), "secret")
	ada := browser{}
	ada.visit(old, "/login")
	token := ada["session"]
	moved := checkMove(old, new)
	check("the old site does not know the visitor", moved.visit(old, "/"), "")

	sessions, err := khufu.NewFactory(khufu.Options{Secret: "secret", Type: khufu.Stored, Store: "redis://127.0.0.1:1/0"})
	if err != nil {
		log.Fatal(err)
	}
	ada.visit(sessions.Middleware(carryOver(theirs, http.HandlerFunc(newSite))), "/")
	check("if khufu's store is down, the old session does not end", fmt.Sprint(timeLeft(token) > time.Hour), "true")
	ada.visit(new, "/")
	left := timeLeft(token)
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
