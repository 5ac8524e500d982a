package goredis_test

import (
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/khufu/khufu/bindings/go/internal/redistest"
	"github.com/redis/go-redis/v9"
)

// TestMain starts the server of the example.
func TestMain(m *testing.M) {
	server, stop, err := redistest.Launch()
	if err != nil {
		log.Fatal(err)
	}
	os.Setenv("REDIS_SOCKET", server.Socket)
	code := m.Run()
	stop()
	os.Exit(code)
}

// startCluster starts a Redis Cluster of three masters, and returns its URL for the core's store
// and a client.
func startCluster(t *testing.T) (url string, client *redis.ClusterClient) {
	t.Helper()
	const nodes, slots = 3, 16384
	var admins []*redis.Client
	var addresses []string
	for range nodes {
		port := freePort(t)
		server := redistest.Start(t, "--port", port, "--bind", "127.0.0.1", "--cluster-enabled", "yes")
		admins = append(admins, connect(t, server.Socket))
		addresses = append(addresses, "127.0.0.1:"+port)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, admin := range admins {
		must(admin.ClusterAddSlotsRange(t.Context(), slots*i/nodes, slots*(i+1)/nodes-1).Err())
		must(admin.Do(t.Context(), "cluster", "set-config-epoch", i+1).Err())
	}
	for _, admin := range admins {
		for _, address := range addresses {
			must(admin.ClusterMeet(t.Context(), "127.0.0.1", strings.TrimPrefix(address, "127.0.0.1:")).Err())
		}
	}
	for _, admin := range admins {
		waitUntil(t, "the nodes agree", func() bool {
			info, err := admin.ClusterInfo(t.Context()).Result()
			must(err)
			known := fmt.Sprint("cluster_known_nodes:", nodes)
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, known)
		})
	}
	client = redis.NewClusterClient(&redis.ClusterOptions{Addrs: addresses})
	t.Cleanup(func() { client.Close() })
	return "redis+cluster://" + strings.Join(addresses, ","), client
}

// freePort returns a port for a node of a cluster, which also listens on that port plus 10000.
func freePort(t *testing.T) string {
	t.Helper()
	for {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := listener.Addr().(*net.TCPAddr).Port
		listener.Close()
		if port < 50000 {
			return fmt.Sprint(port)
		}
	}
}

// waitUntil waits until a condition holds, for at most 20 seconds.
func waitUntil(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	for started := time.Now(); !isSo(); time.Sleep(10 * time.Millisecond) {
		if time.Since(started) > 20*time.Second {
			t.Fatalf("timed out waiting until %s", what)
		}
	}
}
