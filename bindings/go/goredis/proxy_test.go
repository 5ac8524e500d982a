package goredis_test

import (
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/internal/redistest"
	"github.com/khufu/khufu/bindings/go/internal/storedriver"
)

// A proxy forwards everything between clients and a server. If it is told to lose an answer, it
// closes the connection instead of forwarding it.
type proxy struct {
	socket   string
	lose     atomic.Bool
	requests atomic.Int64
}

func startProxy(t *testing.T, server *redistest.Server) *proxy {
	t.Helper()
	p := &proxy{socket: filepath.Join(filepath.Dir(server.Socket), "proxy.sock")}
	listener, err := net.Listen("unix", p.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			redis, err := net.Dial("unix", server.Socket)
			if err != nil {
				client.Close()
				return
			}
			go pass(client, redis, func() bool { p.requests.Add(1); return true })
			go pass(redis, client, func() bool { return !p.lose.Swap(false) })
		}
	}()
	return p
}

// pass forwards bytes as long as mayPass returns true, then closes the connections.
func pass(from, to net.Conn, mayPass func() bool) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 1<<16)
	for {
		length, err := from.Read(buffer)
		if err != nil || !mayPass() {
			return
		}
		if _, err := to.Write(buffer[:length]); err != nil {
			return
		}
	}
}

// connect makes two requests after which the client has open connections. Newer clients have one
// of their own for several commands at once.
func (p *proxy) connect(d driver) {
	d.Helper()
	d.WantRecord("nothing", 0, "")
	d.Want(d.Put(storedriver.NewName(), 1, "", lengths[1], long), khufu.ErrGone)
}

// lost makes a call and loses the first answer that it gets.
func (p *proxy) lost(d driver, call func() error) error {
	d.Helper()
	p.connect(d)
	p.lose.Store(true)
	err := call()
	if p.lose.Load() {
		d.Error("no answer was lost")
	}
	return err
}
