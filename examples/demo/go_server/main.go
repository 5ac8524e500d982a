// This is the demo's Go server, which adds articles to the cart. ../README.md says what every
// server of the demo does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	khufu "github.com/khufu/khufu/bindings/go"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("go_server: ")
	port := flag.Int("port", 0, "the port to listen on")
	flag.Parse()
	if err := run(*port); err != nil {
		log.Fatal(err)
	}
}

func run(port int) error {
	options := khufu.Options{Secret: os.Getenv("KHUFU_SECRET"), HTTPOnly: true, Store: os.Getenv("KHUFU_STORE")}
	if options.Store != "" {
		options.Type = khufu.Stored
	}
	factory, err := khufu.NewFactory(options)
	if err != nil {
		return err
	}
	defer factory.Close()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	fmt.Println("listening on", listener.Addr())

	server := &http.Server{Handler: shop{factory, peers(os.Getenv("KHUFU_PEERS"))}.handler()}
	terminated, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(terminated, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// A peer is another server of the demo.
type peer struct{ Name, URL string }

// peers parses a list such as "pyramid=8001,c=8002", without the Go server itself.
func peers(text string) (list []peer) {
	for pair := range strings.SplitSeq(text, ",") {
		if name, port, found := strings.Cut(pair, "="); found && name != "go" {
			list = append(list, peer{name, "http://127.0.0.1:" + port + "/"})
		}
	}
	return list
}
