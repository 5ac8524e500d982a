// This program measures the request cycle (open, read two keys, set one, commit, close) from
// Go, and compares it with the same cycle in C.
package main

// #cgo pkg-config: khufu
// #include <stdlib.h>
// #include "cycle.h"
import "C"

import (
	"fmt"
	"log"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
	"unsafe"

	khufu "github.com/khufu/khufu/bindings/go"
)

const secret = "itsaseekreet"

func main() {
	fmt.Print("\nThe request cycle from Go in nanoseconds (the shortest of many rounds), and its ratio to the cycle in C\n\n")
	fmt.Println("hashalg  state     JSON  cookie         C        Go  ratio  allocations")
	for _, hashAlg := range []khufu.HashAlg{khufu.SHA512, khufu.SHA256} {
		factory, err := khufu.NewFactory(khufu.Options{Secret: secret, HashAlg: hashAlg})
		if err != nil {
			log.Fatal(err)
		}
		for _, size := range []struct {
			name  string
			bytes int
		}{{"small", 120}, {"medium", 600}, {"large", 2800}} {
			session, err := newSession(factory, size.bytes)
			if err != nil {
				log.Fatal(err)
			}
			compare(factory, string(hashAlg), size.name, session)
		}
		factory.Close()
	}
}

// A sample is a session: its length as JSON text, and its Cookie header.
type sample struct {
	json   int
	header string
}

// newSession makes a session of about this many bytes of JSON: a login, a CSRF token, the time
// of the last visit and a cart.
func newSession(factory *khufu.Factory, bytes int) (sample, error) {
	session, err := factory.Open("")
	if err != nil {
		return sample{}, err
	}
	defer session.Close()
	session.Set("user_id", 42)
	session.Set("name", "Zoe Example")
	session.Set("_csrft_", "00112233445566778899aabbccddeeff00112233")
	session.Set("seen", 1699999999)
	text, err := session.ToJSON()
	for number := session.Len(); err == nil && len(text)+40 < bytes; number++ {
		session.Set(fmt.Sprintf("item_%d", number), map[string]any{"sku": fmt.Sprintf("A-%d", number), "quantity": 2, "gift": false})
		text, err = session.ToJSON()
	}
	if err != nil {
		return sample{}, err
	}
	header, err := session.Commit()
	pair, _, _ := strings.Cut(header.Get("Set-Cookie"), ";")
	return sample{len(text), pair}, err
}

// cycle is one request.
func cycle(factory *khufu.Factory, cookieHeader string) error {
	session, err := factory.Open(cookieHeader)
	if err != nil {
		return err
	}
	defer session.Close()
	if _, err := session.GetInt64("user_id"); err != nil {
		return err
	}
	if _, err := session.GetString("_csrft_"); err != nil {
		return err
	}
	if err := session.Set("seen", 1700000001); err != nil {
		return err
	}
	return session.CommitTo(http.Header{})
}

const (
	rounds = 400
	cycles = 100
)

// compare measures one session and prints a line of the table. The cycles take turns, so that
// other load on the machine slows both and leaves their ratio unchanged.
func compare(factory *khufu.Factory, hashAlg, name string, session sample) {
	secret, algorithm, header := C.CString(secret), C.CString(hashAlg), C.CString(session.header)
	inC := C.cycle_factory(secret, algorithm)
	defer func() {
		C.khufu_factory_free(inC)
		for _, text := range []*C.char{secret, algorithm, header} {
			C.free(unsafe.Pointer(text))
		}
	}()
	c, inGo := math.Inf(1), math.Inf(1)
	for range rounds {
		start := time.Now()
		if C.cycle_run(inC, header, cycles) == 0 {
			log.Fatal("the cycle in C failed")
		}
		c = min(c, float64(time.Since(start).Nanoseconds())/cycles)
		start = time.Now()
		for range cycles {
			if err := cycle(factory, session.header); err != nil {
				log.Fatal(err)
			}
		}
		inGo = min(inGo, float64(time.Since(start).Nanoseconds())/cycles)
	}
	allocations := testing.AllocsPerRun(cycles, func() { cycle(factory, session.header) })
	fmt.Printf("%-8s %-7s %6d %7d %9.0f %9.0f %6.2f %12.0f\n",
		hashAlg, name, session.json, len(session.header), c, inGo, inGo/c, allocations)
}
