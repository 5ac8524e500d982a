package khufu_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
)

// This handler counts visits. It opens the session, reads and sets a key, commits, and only
// then writes the response.
func Example() {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", HTTPOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	visit := func(w http.ResponseWriter, r *http.Request) {
		session, err := factory.OpenRequest(r)
		if err != nil {
			http.Error(w, "cannot open the session", http.StatusInternalServerError)
			return
		}
		defer session.Close()

		visits, err := khufu.Get[int](session, "visits")
		if err != nil && !errors.Is(err, khufu.ErrNotFound) {
			log.Print(err) // another application stored something else: start again
		}
		session.Set("visits", visits+1)

		if err := session.CommitTo(w.Header()); err != nil {
			http.Error(w, "cannot save the session", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "visits:", visits+1)
	}

	var cookies []*http.Cookie
	for range 2 {
		request := httptest.NewRequest("GET", "/", nil)
		for _, cookie := range cookies {
			request.AddCookie(cookie)
		}
		response := httptest.NewRecorder()
		visit(response, request)
		cookies = response.Result().Cookies()
		fmt.Print(response.Body)
	}
	// Output:
	// visits: 1
	// visits: 2
}

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
	values, err := session.Commit()
	fmt.Println(len(values), err)
	// Output: 1 <nil>
}

// This application changes its secret and moves from Pyramid 1's pickles to encrypted
// cookies, while its visitors stay logged in.
func ExampleOptions() {
	now := time.Unix(1700000060, 0)
	old, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", Serializer: khufu.Pickle})
	if err != nil {
		log.Fatal(err)
	}
	session, err := old.OpenAt("", now)
	if err != nil {
		log.Fatal(err)
	}
	session.Set("user", "ada")
	values, err := session.Commit()
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
	session, err = factory.OpenAt(values[0], now)
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
