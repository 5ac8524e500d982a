package khufu_test

import (
	"bytes"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/http/httptest"

	khufu "github.com/khufu/khufu/bindings/go"
)

// This handler counts visits.
func Example() {
	sessions, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", HTTPOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	visit := func(w http.ResponseWriter, r *http.Request) {
		visits, err := khufu.FromContext(r.Context()).Increment("visits", 1)
		if err != nil {
			http.Error(w, "cannot count the visit", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "visits:", visits)
	}
	visitTwice(sessions.Middleware(http.HandlerFunc(visit)))
	// Output:
	// visits: 1
	// visits: 2
}

// visitTwice prints the responses to two requests of one browser.
func visitTwice(handler http.Handler) {
	cookie := ""
	for range 2 {
		request := httptest.NewRequest("GET", "/", nil)
		request.Header.Set("Cookie", cookie)
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, request)
		cookie = cookieOf(response.Result().Header["Set-Cookie"]...)
		fmt.Print(response.Body)
	}
}

// This handler uses no middleware. It opens the session, changes it, commits it, and only then
// writes the response.
func ExampleFactory_OpenRequest() {
	sessions, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", HTTPOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	visitTwice(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := sessions.OpenRequest(r)
		if err != nil {
			http.Error(w, "cannot open the session", http.StatusServiceUnavailable)
			return
		}
		defer session.Close()

		visits, err := session.Increment("visits", 1)
		if err == nil {
			err = session.CommitTo(w.Header())
		}
		if err != nil {
			http.Error(w, "cannot save the session", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "visits:", visits)
	}))
	// Output:
	// visits: 1
	// visits: 2
}

// A page with a message and a form. The form's token is checked when the browser sends it.
func ExampleCheckCSRF() {
	sessions, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", HTTPOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	form := template.Must(template.New("form").Parse(
		`{{range .Messages}}<p>{{.}}</p>{{end}}<form method="post">{{.CSRFField}}<button>Save</button></form>`))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		var page bytes.Buffer // the whole page, because the template changes the session
		if err := form.Execute(&page, khufu.FromContext(r.Context())); err != nil {
			http.Error(w, "cannot show the form", http.StatusInternalServerError)
			return
		}
		page.WriteTo(w)
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		khufu.FromContext(r.Context()).Flash("Saved.")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	handler := sessions.Middleware(khufu.CheckCSRF(mux))

	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest("POST", "/", nil))
	fmt.Print(response.Code, " ", response.Body)
	// Output: 403 The form has expired. Reload the page and send it again.
}
