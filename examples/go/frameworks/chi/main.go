// This program keeps sessions with chi: go run ./chi
package main

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/examples/go/frameworks/site"
)

func main() { site.Run(handler) }

func handler(sessions *khufu.Factory) http.Handler {
	router := chi.NewRouter()
	router.Use(middleware.Recoverer, sessions.Middleware, khufu.CheckCSRF)
	router.Get("/", site.ServePage)
	router.Post("/login", site.ServeLogIn)
	router.Get("/ticks", site.ServeTicks)
	return router
}
