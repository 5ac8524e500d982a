package goredis_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/goredis"
	"github.com/redis/go-redis/v9"
)

// This example counts the visits of each visitor.
func Example() {
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: os.Getenv("REDIS_SOCKET")})
	defer client.Close()
	store, err := goredis.New(client, goredis.Options{})
	if err != nil {
		log.Fatal(err)
	}
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", HTTPOnly: true, CustomStore: store})
	if err != nil {
		log.Fatal(err)
	}
	defer factory.Close()

	server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var visits int64
		err := factory.Transact(w.Header(), r, func(session *khufu.Session) (err error) {
			visits, err = session.Increment("visits", 1)
			return err
		})
		if err != nil {
			log.Print(err)
			http.Error(w, "cannot save the session", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "visit", visits)
	})

	request := httptest.NewRequest("GET", "/", nil)
	for range 3 {
		response := httptest.NewRecorder()
		server.ServeHTTP(response, request)
		fmt.Print(response.Body)
		for _, cookie := range response.Result().Cookies() {
			request.AddCookie(cookie)
		}
	}
	// Output:
	// visit 1
	// visit 2
	// visit 3
}
