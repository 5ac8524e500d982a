package khufu_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A redisServer is a Redis server for one test.
type redisServer struct {
	URL        string
	connection net.Conn
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	folder, err := os.MkdirTemp("", "khufu-go-") // not t.TempDir: its path may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(folder, "redis.sock")
	command := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	server := &redisServer{URL: "redis+unix://" + socket}
	t.Cleanup(func() {
		if server.connection != nil {
			server.connection.Close()
		}
		command.Process.Kill()
		command.Wait()
		os.RemoveAll(folder)
	})
	for started := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if server.connection, err = net.Dial("unix", socket); err == nil {
			return server
		}
		if time.Since(started) > 10*time.Second {
			t.Fatal(err)
		}
	}
}

// do sends a command and returns the first line of the reply.
func (s *redisServer) do(t *testing.T, words ...string) string {
	t.Helper()
	var request strings.Builder
	fmt.Fprintf(&request, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := s.connection.Write([]byte(request.String())); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(s.connection).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}
