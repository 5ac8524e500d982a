// This program is the shop with khufu. Its sessions are in signed cookies, or in memory if TYPE is store.
package main

import (
	"errors"
	"log"
	"net/http"
	"os"

	khufu "github.com/khufu/khufu/bindings/go"

	"github.com/khufu/khufu/examples/side-by-side/go/shop"
)

func main() {
	sessions, err := khufu.NewFactory(khufu.Options{
		Secret: os.Getenv("SECRET"), Type: khufu.Type(os.Getenv("TYPE")), HTTPOnly: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	shop.Run(sessions.Middleware(khufu.CheckCSRF(shop.Routes(page, logIn, add, logOut))))
}

func page(w http.ResponseWriter, r *http.Request) error {
	session := khufu.FromContext(r.Context())
	page := shop.Page{}
	session.Get("user", &page.User) // leaves it empty if nobody has logged in
	session.Get("cart", &page.Cart)
	session.PopFlash("", &page.Messages)
	page.Token, _ = session.CSRFToken() // if the session cannot be opened, the middleware answers
	return shop.Show(w, page)
}

func logIn(_ http.ResponseWriter, r *http.Request) error {
	session := khufu.FromContext(r.Context())
	user := r.PostFormValue("user")
	return errors.Join(session.RegenerateID(), session.Set("user", user), session.Flash("Welcome, "+user+"."))
}

func add(_ http.ResponseWriter, r *http.Request) error {
	session := khufu.FromContext(r.Context())
	if !session.Contains("user") {
		return shop.ErrNoUser
	}
	order, err := shop.ReadOrder(r)
	if err != nil {
		return err
	}
	return session.Append("cart", order)
}

func logOut(_ http.ResponseWriter, r *http.Request) error {
	return khufu.FromContext(r.Context()).Invalidate()
}
