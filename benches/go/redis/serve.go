package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/v2"
	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/goredis"
	"github.com/redis/go-redis/v9"
)

// serve prints the address of a server and serves.
func serve(kind, socket string) error {
	handler, err := newHandler(kind, socket)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return http.Serve(listener, handler)
}

func newHandler(kind, socket string) (http.Handler, error) {
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, PoolSize: 64})
	options := khufu.Options{Secret: "itsaseekreet"}
	switch kind {
	case "scs":
		return withSCS(client), nil
	case "khufu":
		options.Type, options.Store = khufu.Stored, "redis+unix://"+socket
	case "goredis":
		store, err := goredis.New(client, goredis.Options{})
		if err != nil {
			return nil, err
		}
		options.CustomStore = store
	default:
		return nil, errors.New("no such kind of store: " + kind)
	}
	factory, err := khufu.NewFactory(options)
	if err != nil {
		return nil, err
	}
	return withKhufu(factory), nil
}

func withKhufu(factory *khufu.Factory) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := factory.OpenRequest(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		defer session.Close()
		if session.IsNew() {
			session.Set("user", 42)
			session.Set("name", "Zoe Example")
		}
		_, _ = khufu.Get[string](session, "name")
		visits, _ := khufu.Get[int](session, "visits")
		session.Set("visits", visits+1)
		if err := session.CommitToContext(r.Context(), w.Header()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, visits+1)
	})
}

func withSCS(client *redis.Client) http.Handler {
	sessions := scs.New()
	sessions.Store = goredisstore.New(client)
	return sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if !sessions.Exists(ctx, "user") {
			sessions.Put(ctx, "user", 42)
			sessions.Put(ctx, "name", "Zoe Example")
		}
		_ = sessions.GetString(ctx, "name")
		visits := sessions.GetInt(ctx, "visits")
		sessions.Put(ctx, "visits", visits+1)
		fmt.Fprint(w, visits+1)
	}))
}
