// This program is the shop with gorilla/sessions, whose sessions are in signed cookies.
package main

import (
	"encoding/gob"
	"net/http"
	"os"

	"github.com/gorilla/sessions"

	"github.com/khufu/khufu/examples/side-by-side/go/shop"
)

var store = sessions.NewCookieStore([]byte(os.Getenv("SECRET")))

func main() {
	gob.Register([]shop.Order{})
	store.Options.HttpOnly = true
	store.Options.Secure = false
	store.Options.SameSite = http.SameSiteLaxMode
	shop.Run(shop.Routes(page, logIn, add, logOut))
}

// open returns the session of a request. A cookie that does not verify is a new session.
func open(r *http.Request) *sessions.Session {
	session, _ := store.Get(r, "session")
	return session
}

func page(w http.ResponseWriter, r *http.Request) error {
	session := open(r)
	user, _ := session.Values["user"].(string)
	cart, _ := session.Values["cart"].([]shop.Order)
	messages := session.Flashes()
	if len(messages) > 0 {
		if err := session.Save(r, w); err != nil {
			return err
		}
	}
	return shop.Show(w, shop.Page{User: user, Cart: cart, Messages: messages})
}

func logIn(w http.ResponseWriter, r *http.Request) error {
	session := open(r)
	user := r.PostFormValue("user")
	session.Values["user"] = user
	session.AddFlash("Welcome, " + user + ".")
	return session.Save(r, w)
}

func add(w http.ResponseWriter, r *http.Request) error {
	session := open(r)
	if session.Values["user"] == nil {
		return shop.ErrNoUser
	}
	order, err := shop.ReadOrder(r)
	if err != nil {
		return err
	}
	cart, _ := session.Values["cart"].([]shop.Order)
	session.Values["cart"] = append(cart, order)
	return session.Save(r, w)
}

func logOut(w http.ResponseWriter, r *http.Request) error {
	session := open(r)
	session.Options.MaxAge = -1
	return session.Save(r, w)
}
