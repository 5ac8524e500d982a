package site

import (
	"fmt"
	"log"
	"net/http"

	khufu "github.com/khufu/khufu/bindings/go"
)

// Run makes the session factory, and serves the program's handler.
func Run(handler func(*khufu.Factory) http.Handler) {
	sessions, err := Sessions()
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("localhost:8080", handler(sessions)))
}

// ServePage shows the page.
func ServePage(w http.ResponseWriter, r *http.Request) {
	page, err := Page(khufu.FromContext(r.Context()))
	if err != nil {
		fail(w, err)
		return
	}
	w.Write(page)
}

// ServeLogIn makes the visitor the user in the form.
func ServeLogIn(w http.ResponseWriter, r *http.Request) {
	if err := LogIn(khufu.FromContext(r.Context()), r.PostFormValue("user")); err != nil {
		fail(w, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// ServeTicks sends a response in parts. The first one sends the session's cookie, too.
func ServeTicks(w http.ResponseWriter, r *http.Request) {
	visits, err := khufu.FromContext(r.Context()).Increment("visits", 1)
	if err != nil {
		fail(w, err)
		return
	}
	fmt.Fprintf(w, "visit %d\n", visits)
	for i := range 3 {
		fmt.Fprintf(w, "tick %d\n", i+1)
		http.NewResponseController(w).Flush()
	}
}

func fail(w http.ResponseWriter, err error) {
	log.Print(err)
	http.Error(w, "This does not work now.", http.StatusInternalServerError)
}
