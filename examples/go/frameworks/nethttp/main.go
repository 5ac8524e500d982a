// This program keeps sessions with net/http: go run ./nethttp
package main

import (
	"net/http"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/examples/go/frameworks/site"
)

func main() { site.Run(handler) }

func handler(sessions *khufu.Factory) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", site.ServePage)
	mux.HandleFunc("POST /login", site.ServeLogIn)
	mux.HandleFunc("GET /ticks", site.ServeTicks)
	return sessions.Middleware(khufu.CheckCSRF(mux))
}
