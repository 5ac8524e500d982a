// Package shop has what the programs in Go share: everything except the sessions.
package shop

import (
	"cmp"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// ErrNoUser is a handler's error if the visitor has not logged in.
var ErrNoUser = errors.New("log in first")

// An Order is a line of the cart.
type Order struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// ReadOrder reads the order in a form, and reserves it in the warehouse.
func ReadOrder(r *http.Request) (Order, error) {
	quantity, err := strconv.Atoi(r.PostFormValue("quantity"))
	order := Order{r.PostFormValue("sku"), quantity}
	return order, cmp.Or(err, reserve(order))
}

// reserve waits for the answer of the warehouse, which is a TCP server. Without one it returns at once.
func reserve(order Order) error {
	address := os.Getenv("WAREHOUSE")
	if address == "" {
		return nil
	}
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	fmt.Fprintln(connection, order.SKU)
	_, err = connection.Read(make([]byte, 1))
	return err
}

// A Page is what the visitor sees.
type Page struct {
	User     string
	Cart     []Order
	Messages []any
	Token    string // the CSRF token, if the library has one
}

// Show writes the page as text.
func Show(w http.ResponseWriter, page Page) error {
	var text strings.Builder
	fmt.Fprintf(&text, "user %s\n", page.User)
	for _, order := range page.Cart {
		fmt.Fprintf(&text, "cart %s %d\n", order.SKU, order.Quantity)
	}
	for _, message := range page.Messages {
		fmt.Fprintf(&text, "message %s\n", message)
	}
	if page.Token != "" {
		fmt.Fprintf(&text, "token %s\n", page.Token)
	}
	_, err := w.Write([]byte(text.String()))
	return err
}

// A Handler handles a request. Show or an error is its response. After a POST it is a redirection to the page.
type Handler func(w http.ResponseWriter, r *http.Request) error

func (handle Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := handle(w, r)
	switch {
	case errors.Is(err, ErrNoUser):
		http.Error(w, "Log in first.", http.StatusForbidden)
	case err != nil:
		log.Print(err)
		http.Error(w, "This does not work now.", http.StatusInternalServerError)
	case r.Method == http.MethodPost:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// Routes returns the shop's router.
func Routes(page, logIn, add, logOut Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page)
	mux.Handle("POST /login", logIn)
	mux.Handle("POST /cart", add)
	mux.Handle("POST /logout", logOut)
	return mux
}

// Run serves the shop at ADDRESS.
func Run(shop http.Handler) {
	log.Fatal(http.ListenAndServe(os.Getenv("ADDRESS"), shop))
}
