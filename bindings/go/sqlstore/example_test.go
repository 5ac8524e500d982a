package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/sqlstore"
	_ "modernc.org/sqlite"
)

// This example keeps the sessions of a shop in the shop's own database.
func Example() {
	folder, err := os.MkdirTemp("", "shop-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	name := filepath.Join(folder, "shop.db") + "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"
	db, err := sql.Open("sqlite", "file:"+name)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	store, err := sqlstore.New(context.Background(), db, sqlstore.Options{})
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", HTTPOnly: true, CustomStore: store})
	if err != nil {
		log.Fatal(err)
	}
	defer sessions.Close()

	shop := sessions.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pieces, err := khufu.FromContext(r.Context()).Increment("cart.tea", 1)
		if err != nil {
			http.Error(w, "cannot change the cart", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "pieces of tea in the cart:", pieces)
	}))

	first := httptest.NewRecorder()
	shop.ServeHTTP(first, httptest.NewRequest("POST", "/", nil))
	request := httptest.NewRequest("POST", "/", nil)
	request.AddCookie(first.Result().Cookies()[0])
	second := httptest.NewRecorder()
	shop.ServeHTTP(second, request)
	fmt.Print(first.Body.String() + second.Body.String())

	var rows int
	if err := db.QueryRow("SELECT count(*) FROM khufu_sessions").Scan(&rows); err != nil {
		log.Fatal(err)
	}
	fmt.Println("sessions:", rows)
	// Output:
	// pieces of tea in the cart: 1
	// pieces of tea in the cart: 2
	// sessions: 1
}
