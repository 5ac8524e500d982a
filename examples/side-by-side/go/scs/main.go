// This program is the shop with alexedwards/scs, which keeps its sessions in memory.
package main

import (
	"encoding/gob"
	"net/http"

	"github.com/alexedwards/scs/v2"

	"github.com/khufu/khufu/examples/side-by-side/go/shop"
)

var sessions = scs.New()

func main() {
	gob.Register([]shop.Order{})
	shop.Run(sessions.LoadAndSave(shop.Routes(page, logIn, add, logOut)))
}

func page(w http.ResponseWriter, r *http.Request) error {
	page := shop.Page{User: sessions.GetString(r.Context(), "user"), Cart: cart(r)}
	if message := sessions.PopString(r.Context(), "message"); message != "" {
		page.Messages = []any{message}
	}
	return shop.Show(w, page)
}

func logIn(_ http.ResponseWriter, r *http.Request) error {
	user := r.PostFormValue("user")
	sessions.Put(r.Context(), "user", user)
	sessions.Put(r.Context(), "message", "Welcome, "+user+".")
	return sessions.RenewToken(r.Context())
}

func add(_ http.ResponseWriter, r *http.Request) error {
	if !sessions.Exists(r.Context(), "user") {
		return shop.ErrNoUser
	}
	order, err := shop.ReadOrder(r)
	if err != nil {
		return err
	}
	sessions.Put(r.Context(), "cart", append(cart(r), order))
	return nil
}

func cart(r *http.Request) []shop.Order {
	orders, _ := sessions.Get(r.Context(), "cart").([]shop.Order)
	return orders
}

func logOut(_ http.ResponseWriter, r *http.Request) error {
	return sessions.Destroy(r.Context())
}
