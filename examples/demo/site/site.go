package main

import (
	"embed"
	"io/fs"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"

	khufu "github.com/khufu/khufu/bindings/go"
)

// A server writes some of the pages.
type server struct{ Name, Language, Library string }

var (
	pyramid   = server{"pyramid", "Python", "Pyramid"}
	goServer  = server{"go", "Go", "net/http"}
	ruby      = server{"ruby", "Ruby", "Sinatra"}
	cServer   = server{"c", "C", "libmicrohttpd"}
	cppServer = server{"cpp", "C++", "cpp-httplib"}
)

// A page of the shop.
type page struct {
	Path, Title string
	Server      server
}

var pages = []page{
	{"/", "Account", pyramid},
	{"/shop", "Shop", goServer},
	{"/cart", "Cart", ruby},
	{"/note", "Message", cServer},
	{"/checkout", "Checkout", cppServer},
	{"/devices", "Devices", pyramid}, // only if the sessions are in a store
}

//go:embed static
var static embed.FS

// A site sends each request to the server of the page, and shows the page next to the session.
type site struct {
	ports map[string]string // the port of each server
	store string            // the URL of the store, or "" if sessions are in a cookie

	mutex   sync.RWMutex   // locked while the servers restart with another secret
	factory *khufu.Factory // like those of the servers

	// redirects maps the value of a cookie to the last exchange that ended in a redirect. The next
	// page of that browser shows the exchange and removes it.
	redirects sync.Map
}

// useSecrets replaces the factory.
func (s *site) useSecrets(secret, previous string) error {
	options := khufu.Options{Secret: secret, PreviousSecrets: []string{previous}, Store: s.store}
	if s.store != "" {
		options.Type = khufu.Stored
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

// pages returns the pages of the shop.
func (s *site) pages() []page {
	if s.store == "" {
		return pages[:len(pages)-1]
	}
	return pages
}

func (s *site) handler() http.Handler {
	mux := http.NewServeMux()
	files, err := fs.Sub(static, "static")
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"style.css", "articles.svg", "icon.svg"} {
		mux.Handle("GET /"+name, http.FileServerFS(files))
	}
	for _, page := range pages { // Pyramid has the page "/", so it also gets all other paths
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
func (s *site) relayTo(server server) http.Handler {
	target := &url.URL{Scheme: "http", Host: "127.0.0.1:" + s.ports[server.Name]}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host              // so that the server's redirects lead to the site
			r.Out.Header.Del("Accept-Encoding") // because the site reads the answer
		},
		ModifyResponse: func(response *http.Response) error { return s.finish(response, server) },
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
