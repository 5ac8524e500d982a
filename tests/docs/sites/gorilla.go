package main

import (
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/gorilla"
)

// block 3

func before(oldKey []byte) sessions.Store {
	// block 1
	return store
}

func after(oldKey []byte, secret string) sessions.Store {
	// block 2
	return store
}

func site(store sessions.Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := store.Get(r, "shop")
		switch r.URL.Path {
		case "/login":
			session.Values["user"] = "ada"
		case "/logout":
			session.Options.MaxAge = -1
			delete(session.Values, "user")
		}
		if r.URL.Path != "/" {
			if err := session.Save(r, w); err != nil {
				log.Fatal(err)
			}
		}
		if user, ok := session.Values["user"]; ok {
			fmt.Fprint(w, user)
		}
		if err != nil {
			fmt.Fprint(w, "error")
		}
	})
}

func options(options *sessions.Options) map[string]any {
	return map[string]any{
		"store.Options.MaxAge": options.MaxAge, "store.Options.Secure": options.Secure,
		"store.Options.HttpOnly": options.HttpOnly, "store.Options.SameSite": sameSite(options.SameSite),
	}
}

func main() {
	old, new := before([]byte("old")), after([]byte("old"), "secret")
	moved := checkMove(site(old), site(new))
	check("later, the visitor is still known", moved.visit(site(new.(movingStore).Store), "/"), "ada")
	check("the old store does not know the visitor", moved.visit(site(old), "/"), "error")
	printed.Theirs = options(old.(*sessions.CookieStore).Options)
	printed.Ours = options(gorilla.NewStore(nil).Options)
	show()
}
