package goredis_test

import (
	"os"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/goredis"
	"github.com/khufu/khufu/bindings/go/internal/redistest"
	"github.com/khufu/khufu/bindings/go/internal/storetest"
	"github.com/redis/go-redis/v9"
)

func newFactory(t *testing.T, options khufu.Options) *khufu.Factory {
	t.Helper()
	options.Secret = "itsaseekreet"
	factory, err := khufu.NewFactory(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { factory.Close() })
	return factory
}

// connect returns a client of a server at a socket. Tests change its options.
func connect(t *testing.T, socket string, options ...func(*redis.Options)) *redis.Client {
	t.Helper()
	o := redis.Options{Network: "unix", Addr: socket}
	for _, set := range options {
		set(&o)
	}
	client := redis.NewClient(&o)
	t.Cleanup(func() { client.Close() })
	return client
}

func newStore(t *testing.T, client redis.UniversalClient, options goredis.Options) *goredis.Store {
	t.Helper()
	store, err := goredis.New(client, options)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// Sessions that khufu's own store has written open in this one, and the other way round.
func testBoth(t *testing.T, url string, client redis.UniversalClient) {
	inCore := newFactory(t, khufu.Options{Type: khufu.Stored, Store: url})
	inGo := newFactory(t, khufu.Options{CustomStore: newStore(t, client, goredis.Options{})})
	for name, pair := range map[string][2]*khufu.Factory{
		"alone": {inGo, inGo}, "core first": {inCore, inGo}, "Go first": {inGo, inCore},
	} {
		t.Run(name, func(t *testing.T) { storetest.Run(t, pair[0], pair[1]) })
	}
}

func TestOneServerSharesSessionsWithTheCore(t *testing.T) {
	server := redistest.Start(t)
	testBoth(t, server.URL, connect(t, server.Socket))
}

func TestAClusterFulfilsTheContractAndSharesSessionsWithTheCore(t *testing.T) {
	url, client := startCluster(t)
	checkContract(t, newStore(t, client, goredis.Options{}))
	checkLists(t, client)
	testBoth(t, url, client)
}

func TestKeysHaveThePrefix(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server.Socket)
	shop := newFactory(t, khufu.Options{CustomStore: newStore(t, client, goredis.Options{Prefix: "shop:"})})
	storetest.Run(t, shop, newFactory(t, khufu.Options{Type: khufu.Stored, Store: server.URL, StorePrefix: "shop:"}))
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatal(keys, err)
	}
	for _, key := range keys {
		if key[:5] != "shop:" {
			t.Errorf("a key is %q", key)
		}
	}
}

func TestUnusableClientsAreRefused(t *testing.T) {
	if _, err := goredis.New(nil, goredis.Options{}); err == nil {
		t.Error("accepted without a client")
	}
	for _, options := range []redis.ClusterOptions{{ReadOnly: true}, {RouteByLatency: true}, {RouteRandomly: true}} {
		options.Addrs = []string{"127.0.0.1:1"}
		client := redis.NewClusterClient(&options)
		defer client.Close()
		if _, err := goredis.New(client, goredis.Options{}); err == nil {
			t.Errorf("accepted with %+v", options)
		}
	}
}

// The scripts are those of the core. `go generate` copies them.
func TestTheScriptsAreThoseOfTheCore(t *testing.T) {
	files, err := os.ReadDir("lua")
	if err != nil || len(files) != 6 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		copied, err := os.ReadFile("lua/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		original, err := os.ReadFile("../../../src/store/redis/lua/" + file.Name())
		if err != nil || string(copied) != string(original) {
			t.Errorf("lua/%s differs from the core's: run go generate (%v)", file.Name(), err)
		}
	}
}
