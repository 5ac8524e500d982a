package goredis_test

import (
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/goredis"
	"github.com/khufu/khufu/bindings/go/internal/redistest"
	"github.com/khufu/khufu/bindings/go/internal/storedriver"
	"github.com/khufu/khufu/bindings/go/storetest"
	"github.com/redis/go-redis/v9"
)

type driver = storedriver.Driver

const long, short, forever = storedriver.Long, storedriver.Short, storedriver.Forever

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

func TestOneServerFulfilsTheContract(t *testing.T) {
	client := connect(t, redistest.Start(t).Socket)
	storetest.Contract(t, newStore(t, client, goredis.Options{}))
	checkLists(t, client)
}

// Sessions that khufu's own store has written open in this one, and the other way round.
func testBoth(t *testing.T, url string, client redis.UniversalClient) {
	inCore := storedriver.NewFactory(t, khufu.Options{Type: khufu.Stored, Store: url})
	inGo := storedriver.NewFactory(t, khufu.Options{CustomStore: newStore(t, client, goredis.Options{})})
	for name, pair := range map[string][2]*khufu.Factory{
		"alone": {inGo, inGo}, "core first": {inCore, inGo}, "Go first": {inGo, inCore},
	} {
		t.Run(name, func(t *testing.T) { storetest.Sessions(t, pair[0], pair[1]) })
	}
}

func TestOneServerSharesSessionsWithTheCore(t *testing.T) {
	server := redistest.Start(t)
	testBoth(t, server.URL, connect(t, server.Socket))
}

func TestAClusterFulfilsTheContractAndSharesSessionsWithTheCore(t *testing.T) {
	url, client := startCluster(t)
	storetest.Contract(t, newStore(t, client, goredis.Options{}))
	checkLists(t, client)
	testBoth(t, url, client)
}

func TestKeysHaveThePrefix(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server.Socket)
	shop := storedriver.NewFactory(t, khufu.Options{CustomStore: newStore(t, client, goredis.Options{Prefix: "shop:"})})
	inCore := khufu.Options{Type: khufu.Stored, Store: server.URL, StorePrefix: "shop:"}
	storetest.Sessions(t, shop, storedriver.NewFactory(t, inCore))
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

// `go generate` copies the scripts.
func TestTheScriptsAreThoseOfTheCore(t *testing.T) {
	storedriver.CheckCopies(t, "lua", "../../../src/store/redis/lua", 6)
}
