// The program site is the demo's site: one origin for the pages of all servers. ../README.md
// describes it.
//
//	site --port N
//
// KHUFU_SERVERS has the ports of the servers: pyramid=8001,go=8002,ruby=8003,c=8004,cpp=8005
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("site: ")
	port := flag.Int("port", 0, "the port to listen on")
	flag.Parse()

	site := &site{ports: map[string]string{}, store: os.Getenv("KHUFU_STORE")}
	for server := range strings.SplitSeq(os.Getenv("KHUFU_SERVERS"), ",") {
		name, port, _ := strings.Cut(server, "=")
		site.ports[name] = port
	}
	if err := site.useSecrets(os.Getenv("KHUFU_SECRET"), os.Getenv("KHUFU_PREVIOUS_SECRET")); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", listener.Addr())
	server := http.Server{Handler: site.handler(), ReadTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}
