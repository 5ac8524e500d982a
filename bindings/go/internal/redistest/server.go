// Package redistest runs Redis servers for tests.
package redistest

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

// A Server is a Redis server for one test. It listens on a Unix socket only, unless its
// settings say more.
type Server struct {
	Socket     string
	URL        string // for khufu's own store
	Process    *os.Process
	connection net.Conn
}

// Start starts a server with settings such as "--maxmemory", "1mb". It ends with the test.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	server, stop, err := Launch(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return server
}

// Launch starts a server outside of a test.
func Launch(settings ...string) (server *Server, stop func(), err error) {
	folder, err := os.MkdirTemp("", "khufu-go-") // not t.TempDir: its path may be too long for a socket
	if err != nil {
		return nil, nil, err
	}
	socket := filepath.Join(folder, "redis.sock")
	words := append([]string{"--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder}, settings...)
	command := exec.Command("redis-server", words...)
	if err := command.Start(); err != nil {
		return nil, nil, err
	}
	server = &Server{Socket: socket, URL: "redis+unix://" + socket, Process: command.Process}
	stop = func() {
		if server.connection != nil {
			server.connection.Close()
		}
		command.Process.Kill()
		command.Wait()
		os.RemoveAll(folder)
	}
	for started := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if server.connection, err = net.Dial("unix", socket); err == nil {
			return server, stop, nil
		}
		if time.Since(started) > 10*time.Second {
			stop()
			return nil, nil, err
		}
	}
}

// Do sends a command and returns the first line of the reply.
func (s *Server) Do(t testing.TB, words ...string) string {
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
