package gorilla_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/gorilla"
)

// This example counts the visits of each visitor.
func Example() {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", Type: khufu.Stored})
	if err != nil {
		log.Fatal(err)
	}
	defer factory.Close()
	store := gorilla.NewStore(factory)

	server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := store.Get(r, "shop")
		if err != nil {
			log.Print(err)
			http.Error(w, "cannot open the session", http.StatusServiceUnavailable)
			return
		}
		visits, _ := session.Values["visits"].(int64)
		session.Values["visits"] = visits + 1
		session.AddFlash(fmt.Sprint("This is visit ", visits+1))
		if err := session.Save(r, w); err != nil {
			log.Print(err)
			http.Error(w, "cannot save the session", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, len(session.Values["_flash"].([]any)), "messages for the next page")
	})

	request := httptest.NewRequest("GET", "/", nil)
	for range 3 {
		response := httptest.NewRecorder()
		server.ServeHTTP(response, request)
		fmt.Print(response.Body)
		next := httptest.NewRequest("GET", "/", nil)
		for _, cookie := range append(response.Result().Cookies(), request.Cookies()...) {
			next.AddCookie(cookie)
		}
		request = next
	}
	// Output:
	// 1 messages for the next page
	// 2 messages for the next page
	// 3 messages for the next page
}
