// This program opens a session that Pyramid wrote, reads and changes it, and prints the
// headers of the response.
//
//	go run . [COOKIE_HEADER]
//
// The environment variable KHUFU_SECRET is the secret. By default, the secret is the one in
// Pyramid's documentation, and the header is the one below.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"log"
	"os"

	khufu "github.com/khufu/khufu/bindings/go"
)

// cookieFromPyramid is a Cookie header with a session that Pyramid wrote.
const cookieFromPyramid = "session=NALO5r7MTAk5-cjlil7jHzzACKFDAQh7uoVVQxj_gekppLS8Xm-EyxAooHvWdx2pNM5XjElJOzDVIAYsnjwwj1sxNzAwMDAwMDAwLCAxNjk5OTk5ODk5Ljc1LCB7InVzZXJfaWQiOiA0MiwgIm5hbWUiOiAiWm9cdTAwZWIiLCAiYWRtaW4iOiBmYWxzZSwgIl9jc3JmdF8iOiAiMDAxMTIyMzM0NDU1NjY3Nzg4OTlhYWJiY2NkZGVlZmYwMDExMjIzMyJ9XQ"

func main() {
	log.SetFlags(0)
	header := cookieFromPyramid
	if len(os.Args) > 1 {
		header = os.Args[1]
	}
	if err := visit(header); err != nil {
		log.Fatal(err)
	}
}

func visit(cookieHeader string) error {
	factory, err := khufu.NewFactory(khufu.Options{
		Secret:   cmp.Or(os.Getenv("KHUFU_SECRET"), "itsaseekreet"),
		HTTPOnly: true,
		Timeout:  -1, // because the cookie above is from 2023; leave this out in an application
	})
	if err != nil {
		return err
	}
	defer factory.Close()

	session, err := factory.Open(cookieHeader)
	if err != nil {
		return err
	}
	defer session.Close()
	fmt.Println("opened:", session.LoadResult(), session.Refusal())
	for key, value := range session.All() {
		fmt.Printf("  %s = %s\n", key, value)
	}

	visits, err := khufu.Get[int](session, "visits")
	if err != nil && !errors.Is(err, khufu.ErrNotFound) {
		return err
	}
	if err := session.Set("visits", visits+1); err != nil {
		return err
	}
	if err := session.Flash("Hello from Go."); err != nil {
		return err
	}

	header, err := session.Commit()
	if err != nil {
		return err
	}
	return header.Write(os.Stdout)
}
