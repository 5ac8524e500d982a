package main

import (
	"embed"
	"io/fs"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync"

	khufu "github.com/khufu/khufu/bindings/go"
)

// A page of the shop.
type page struct{ Path, Title, Server string }

var pages = []page{
	{"/", "Account", "pyramid"},
	{"/shop", "Shop", "go"},
	{"/cart", "Cart", "ruby"},
	{"/note", "Message", "c"},
	{"/checkout", "Checkout", "cpp"},
}

// devices is a page only if the sessions are in a store.
var devices = page{"/devices", "Devices", "pyramid"}

//go:embed static
var static embed.FS

// A site sends each request to the server that has the page, and puts what that server answers
// into the layout, next to the session.
type site struct {
	ports map[string]string

	mutex   sync.RWMutex // locked while the servers restart with another secret
	factory *khufu.Factory
	pages   []page

	// redirects has, for each cookie's value, the last exchange that ended in a redirect. The page
	// that the browser gets next shows it.
	redirects sync.Map
}

// useSecrets makes a factory like those of the servers, with which the site looks at sessions.
func (s *site) useSecrets(secret, previous string) error {
	options := khufu.Options{Secret: secret, PreviousSecrets: []string{previous}, Store: os.Getenv("KHUFU_STORE")}
	s.pages = pages
	if options.Store != "" {
		options.Type = khufu.Stored
		s.pages = append(pages[:len(pages):len(pages)], devices)
	}
	factory, err := khufu.NewFactory(options)
	if err != nil {
		return err
	}
	if s.factory != nil {
		s.factory.Close()
	}
	s.factory = factory
	return nil
}

// stored reports whether the sessions are in a store.
func (s *site) stored() bool { return len(s.pages) > len(pages) }

func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	files, _ := fs.Sub(static, "static")
	for _, name := range []string{"style.css", "articles.svg", "icon.svg"} {
		mux.Handle("GET /"+name, http.FileServerFS(files))
	}
	for _, page := range pages { // Pyramid's page is "/", so Pyramid also gets all other paths
		mux.Handle(page.Path, s.relayTo(page.Server))
	}
	mux.HandleFunc("POST /tamper", s.checked(s.tamper))
	mux.HandleFunc("POST /rotate", s.checked(s.changeSecret))
	mux.HandleFunc("POST /replace", s.checked(s.changeSecret))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy",
			"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		mux.ServeHTTP(w, r)
	})
}

// relayTo returns a reverse proxy for one server.
func (s *site) relayTo(server string) http.Handler {
	target := &url.URL{Scheme: "http", Host: "127.0.0.1:" + s.ports[server]}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host              // so that the server's redirects lead to the site
			r.Out.Header.Del("Accept-Encoding") // the site must read the answer
		},
		ModifyResponse: func(response *http.Response) error { return s.lookAt(response, server) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			log.Print(err)
			http.Error(w, "This part of the shop does not answer.", http.StatusBadGateway)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mutex.RLock()
		defer s.mutex.RUnlock()
		proxy.ServeHTTP(w, r)
	})
}
