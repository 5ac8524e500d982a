// This is the demo's Go server, whose page adds articles to the cart. ../README.md says what
// every server of the demo does.
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
	options := khufu.Options{
		Secret:          os.Getenv("KHUFU_SECRET"),
		PreviousSecrets: []string{os.Getenv("KHUFU_PREVIOUS_SECRET")},
		HTTPOnly:        true,
		Store:           os.Getenv("KHUFU_STORE"),
	}
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

	server := &http.Server{Handler: factory.Middleware(khufu.CheckCSRF(shop()))}
	terminated, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	context.AfterFunc(terminated, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
