package khufu_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// This example opens a cookie that Pyramid wrote.
func ExampleFactory_Open() {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", Timeout: -1})
	if err != nil {
		log.Fatal(err)
	}
	defer factory.Close()

	session, err := factory.Open("session=NALO5r7MTAk5-cjlil7jHzzACKFDAQh7uoVVQxj_gekppLS8Xm-EyxAooHvWdx2pNM5XjElJOzDVIAYsnjwwj1sxNzAwMDAwMDAwLCAxNjk5OTk5ODk5Ljc1LCB7InVzZXJfaWQiOiA0MiwgIm5hbWUiOiAiWm9cdTAwZWIiLCAiYWRtaW4iOiBmYWxzZSwgIl9jc3JmdF8iOiAiMDAxMTIyMzM0NDU1NjY3Nzg4OTlhYWJiY2NkZGVlZmYwMDExMjIzMyJ9XQ")
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()

	fmt.Println(session.LoadResult(), session.IsNew(), session.Created())
	for key, value := range session.All() {
		fmt.Println(key, string(value))
	}
	// Output:
	// loaded false 2023-11-14 22:11:39.75 +0000 UTC
	// user_id 42
	// name "Zo\u00eb"
	// admin false
	// _csrft_ "00112233445566778899aabbccddeeff00112233"
}

func ExampleGet() {
	session := emptySession()
	defer session.Close()
	session.Set("cart", map[string]int{"A-1": 2})
	session.Set("name", "Zoë")

	cart, err := khufu.Get[map[string]int](session, "cart")
	fmt.Println(cart, err)
	_, err = khufu.Get[int](session, "age")
	fmt.Println(errors.Is(err, khufu.ErrNotFound))
	_, err = khufu.Get[int](session, "name")
	fmt.Println(errors.Is(err, khufu.ErrType))
	// Output:
	// map[A-1:2] <nil>
	// true
	// true
}

func ExampleSession_Flash() {
	session := emptySession()
	defer session.Close()
	session.Flash("Saved.")
	session.Flash("The disk is nearly full.", khufu.Queue("warning"), khufu.NoDuplicate())

	var messages []string
	if err := session.PopFlash("", &messages); err != nil {
		log.Fatal(err)
	}
	fmt.Println(messages)
	// Output: [Saved.]
}

// Two requests append to one session at the same time. Neither change is lost.
func ExampleSession_Append() {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", Type: khufu.Stored})
	if err != nil {
		log.Fatal(err)
	}
	defer factory.Close()
	first, err := factory.Open("")
	if err != nil {
		log.Fatal(err)
	}
	defer first.Close()
	first.Set("user", "ada")
	header, err := first.Commit()
	if err != nil {
		log.Fatal(err)
	}

	var requests []*khufu.Session
	for _, page := range []string{"/news", "/shop"} {
		session, err := factory.Open(header.Get("Set-Cookie"))
		if err != nil {
			log.Fatal(err)
		}
		defer session.Close()
		session.Append("pages", page)
		session.Increment("visits", 1)
		requests = append(requests, session)
	}
	for _, session := range requests {
		if _, err := session.Commit(); err != nil {
			log.Fatal(err)
		}
	}
	text, err := requests[1].ToJSON()
	fmt.Println(string(text), err)
	// Output: {"user":"ada","pages":["/news","/shop"],"visits":2} <nil>
}

// An application that has no cookies sends the session's value in another header.
func ExampleFactory_OpenValue() {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet"})
	if err != nil {
		log.Fatal(err)
	}
	defer factory.Close()
	session, err := factory.Open("")
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	session.Set("user", "ada")
	if _, err := session.Commit(); err != nil {
		log.Fatal(err)
	}
	value, err := session.Value()
	if err != nil {
		log.Fatal(err)
	}

	next, err := factory.OpenValue(context.Background(), value)
	if err != nil {
		log.Fatal(err)
	}
	defer next.Close()
	user, err := next.GetString("user")
	fmt.Println(next.LoadResult(), user, err)
	// Output: loaded ada <nil>
}

// A health check reads the session, but does not keep it alive.
func ExamplePassive() {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet"})
	if err != nil {
		log.Fatal(err)
	}
	defer factory.Close()
	request := httptest.NewRequest("GET", "/health", nil)
	session, err := factory.OpenRequest(request, khufu.Passive())
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	fmt.Println(session.Contains("user"), session.IsChanged())
	// Output: false false
}

// "Remember me": the browser keeps this session's cookie for 30 days.
func ExampleSession_SetLifetime() {
	session := emptySession()
	defer session.Close()
	session.Set("user", "ada")
	session.SetLifetime(30 * 24 * time.Hour)
	header, err := session.Commit()
	if err != nil {
		log.Fatal(err)
	}
	cookie, err := http.ParseSetCookie(header.Get("Set-Cookie"))
	fmt.Println(cookie.MaxAge, err)
	// Output: 2592000 <nil>
}

// The function runs again if its commit conflicts with other requests.
func ExampleFactory_Transact() {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", Type: khufu.Stored})
	if err != nil {
		log.Fatal(err)
	}
	defer factory.Close()

	buy := func(w http.ResponseWriter, r *http.Request) {
		err := factory.Transact(w.Header(), r, func(session *khufu.Session) error {
			_, err := session.Increment("cart.A-1", 1)
			return err
		})
		if err != nil {
			http.Error(w, "cannot save the cart", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "bought")
	}
	response := httptest.NewRecorder()
	buy(response, httptest.NewRequest("POST", "/cart", nil))
	fmt.Print(response.Code, " ", response.Body)
	// Output: 200 bought
}

// The options are in the INI file of the Pyramid application.
func ExampleOptions_Load() {
	file := `
[app:main]
use = egg:shop
khufu.secret = itsaseekreet
khufu.httponly = true
khufu.timeout = 600
`
	var options khufu.Options
	if err := options.Load(file, "app:main", "khufu."); err != nil {
		log.Fatal(err)
	}
	factory, err := khufu.NewFactory(options)
	if err != nil {
		log.Fatal(err)
	}
	defer factory.Close()

	fmt.Println(options.Load("timeout = soon", "", ""))
	// Output: khufu: line 1: the option timeout must be whole seconds, from 0 to 10000000000, not "soon"
}

func ExampleSession_CheckCSRFToken() {
	session := emptySession()
	defer session.Close()
	token, err := session.CSRFToken() // put it into the form as a hidden field
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.CheckCSRFToken(token), session.CheckCSRFToken("guessed"))
	// Output: true false
}

func ExampleSession_Commit() {
	session := emptySession()
	defer session.Close()
	session.Set("pages", strings.Repeat("x", 5000))
	_, err := session.Commit()
	if errors.Is(err, khufu.ErrTooLarge) {
		session.Delete("pages")
		session.Flash("You have too many pages open.")
	}
	header, err := session.Commit()
	fmt.Println(len(header["Set-Cookie"]), header["Vary"], header["Cache-Control"], err)
	// Output: 1 [Cookie] [private] <nil>
}

// This application changes its secret and moves from Pyramid 1's pickles to encrypted
// cookies, while its visitors stay logged in.
func ExampleOptions() {
	now := time.Unix(1700000060, 0)
	old, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", Serializer: khufu.Pickle})
	if err != nil {
		log.Fatal(err)
	}
	session, err := old.Open("", khufu.At(now))
	if err != nil {
		log.Fatal(err)
	}
	session.Set("user", "ada")
	header, err := session.Commit()
	if err != nil {
		log.Fatal(err)
	}

	options := khufu.Options{
		Type:   khufu.EncryptedCookie,
		Secret: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		Accept: []khufu.Format{
			{Name: "pyramid1", Secret: "newer", PreviousSecrets: []string{"itsaseekreet"}, Serializer: khufu.Pickle},
		},
	}
	factory, err := khufu.NewFactory(options)
	if err != nil {
		log.Fatal(err)
	}
	session, err = factory.Open(header.Get("Set-Cookie"), khufu.At(now))
	if err != nil {
		log.Fatal(err)
	}
	user, err := session.GetString("user")
	fmt.Println(user, err, session.LoadResult(), session.LoadFormat(), session.IsChanged())
	fmt.Println(options)
	// Output:
	// ada <nil> loaded_other_format pyramid1 true
	// khufu.Options[type=encrypted_cookie secret=[hidden] accept.pyramid1.type= accept.pyramid1.serializer=pickle accept.pyramid1.secret=[hidden] accept.pyramid1.previous_secret=[hidden]]
}

func emptySession() *khufu.Session {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet"})
	if err != nil {
		log.Fatal(err)
	}
	session, err := factory.Open("")
	if err != nil {
		log.Fatal(err)
	}
	return session
}
