package khufu_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"log"
	"strings"

	khufu "github.com/khufu/khufu/bindings/go"
)

// Deflated is a [khufu.PayloadSerializer] that compresses the JSON text, for sessions that
// would be too large for a cookie.
type Deflated struct{}

func (Deflated) Loads(payload []byte) ([]byte, error) {
	const most = 1 << 20
	return io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(payload)), most))
}

func (Deflated) Dumps(json []byte) ([]byte, error) {
	var payload bytes.Buffer
	writer, err := flate.NewWriter(&payload, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := writer.Write(json); err != nil {
		return nil, err
	}
	err = writer.Close()
	return payload.Bytes(), err
}

// This example compresses sessions.
func ExamplePayloadSerializer() {
	factory, err := khufu.NewFactory(khufu.Options{Secret: "itsaseekreet", CustomSerializer: Deflated{}})
	if err != nil {
		log.Fatal(err)
	}
	defer factory.Close()

	session, err := factory.Open("")
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	session.Set("basket", strings.Repeat("apples and pears, ", 1000))
	header, err := session.Commit()
	if err != nil {
		log.Fatal(err)
	}

	next, err := factory.Open(header.Get("Set-Cookie"))
	if err != nil {
		log.Fatal(err)
	}
	defer next.Close()
	basket, err := next.GetString("basket")
	fmt.Println(len(basket), len(header.Get("Set-Cookie")) < 500, err)
	// Output: 18000 true <nil>
}
