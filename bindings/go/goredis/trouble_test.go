package goredis_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	khufu "github.com/khufu/khufu/bindings/go"
	"github.com/khufu/khufu/bindings/go/goredis"
	"github.com/khufu/khufu/bindings/go/internal/redistest"
	"github.com/khufu/khufu/bindings/go/internal/storedriver"
	"github.com/redis/go-redis/v9"
)

func TestAClosedIdleConnectionIsNotAnError(t *testing.T) {
	server := redistest.Start(t)
	d := storedriver.New(t, newStore(t, connect(t, server.Socket), goredis.Options{}))
	subject, key := storedriver.NewName(), storedriver.NewName()
	for number, call := range []func() error{
		func() error { return d.Put(key, 0, subject, "data", long) },
		func() error { _, _, err := d.Load(key); return err },
		func() error { return d.Extend(key, 1, subject, "data", long) },
		func() error { return d.Put(key, 1, subject, "data", long) },
		func() error { _, err := d.Members(subject); return err },
		func() error { return d.Unlist(subject, key) },
		func() error { return d.Remove(key, 2) },
		func() error { return d.Put(key, 0, subject, "data", long) },
	} {
		server.Do(t, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		if err := call(); err != nil {
			t.Errorf("call %d: %v", number, err)
		}
	}
}

func TestACallToAServerThatHangsEnds(t *testing.T) {
	for name, respects := range map[string]bool{"a client that ignores deadlines": false, "a client that knows them": true} {
		t.Run(name, func(t *testing.T) {
			storedriver.CheckWaiting(t, func(t *testing.T, timeout time.Duration) (khufu.Store, func()) {
				server := redistest.Start(t)
				client := connect(t, server.Socket, func(o *redis.Options) { o.ContextTimeoutEnabled = respects })
				return newStore(t, client, goredis.Options{Timeout: timeout}), func() {
					if err := server.Process.Signal(syscall.SIGSTOP); err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { server.Process.Signal(syscall.SIGCONT) })
				}
			})
		})
	}
}

func TestAMissingServerIsAnErrorOfTheStore(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	client := redis.NewClient(&redis.Options{Addr: listener.Addr().String(), DialerRetries: 1})
	defer client.Close()
	factory := storedriver.NewFactory(t, khufu.Options{CustomStore: newStore(t, client, goredis.Options{})})
	session := storedriver.NewSession(t, factory)
	session.Set("a", 1)
	_, err = session.Commit()
	if !errors.Is(err, khufu.ErrStore) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the error is %v", err)
	}
}

// After a failover, the former master has become a replica, and the client finds the new master.
func TestTheNewMasterIsUsedAfterAFailover(t *testing.T) {
	former, master := redistest.Start(t), redistest.Start(t)
	sockets := []string{former.Socket, master.Socket}
	client := connect(t, "", func(o *redis.Options) {
		o.Dialer = func(context.Context, string, string) (net.Conn, error) {
			socket := sockets[0]
			sockets = sockets[len(sockets)-1:]
			return net.Dial("unix", socket)
		}
	})
	former.Do(t, "REPLICAOF", "127.0.0.1", "1")
	d := storedriver.New(t, newStore(t, client, goredis.Options{}))
	d.WantRecord(d.Add("", "data", long), 1, "data")
	if keys := master.Do(t, "DBSIZE"); keys != ":1" {
		t.Errorf("the new master has %s keys", keys)
	}
}

// A command that the server does not know is in its answer, with its arguments.
func TestAnErrorShowsNoArguments(t *testing.T) {
	server := redistest.Start(t, "--rename-command", "EVALSHA", "")
	d := storedriver.New(t, newStore(t, connect(t, server.Socket), goredis.Options{}))
	key := storedriver.NewName()
	err := d.Put(key, 0, "", "data", long)
	if err == nil || !strings.Contains(err.Error(), "unknown command") || strings.Contains(err.Error(), key[:10]) {
		t.Errorf("the error is %v", err)
	}
}

// An observer is a hook that calls a function before each command.
type observer struct {
	before func(context.Context, redis.Cmder)
}

func (*observer) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*observer) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (o *observer) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		o.before(ctx, command)
		return next(ctx, command)
	}
}

func TestHooksOfTheClientGetTheContextOfTheCall(t *testing.T) {
	type span struct{}
	var spans []any
	client := connect(t, redistest.Start(t).Socket)
	client.AddHook(&observer{before: func(ctx context.Context, command redis.Cmder) {
		if command.Name() == "evalsha" || command.Name() == "eval" {
			spans = append(spans, ctx.Value(span{}))
		}
	}})
	factory := storedriver.NewFactory(t, khufu.Options{CustomStore: newStore(t, client, goredis.Options{})})
	session := storedriver.NewSession(t, factory)
	session.Set("a", 1)
	if _, err := session.CommitContext(context.WithValue(t.Context(), span{}, "request 7")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(spans, []any{"request 7", "request 7"}) {
		t.Errorf("the hook saw %v", spans)
	}
}

func TestAHookThatPanicsEndsOnlyTheCall(t *testing.T) {
	client := connect(t, redistest.Start(t).Socket)
	store := newStore(t, client, goredis.Options{})
	client.AddHook(&observer{before: func(context.Context, redis.Cmder) { panic("a hook is broken") }})
	_, _, err := store.Load(storedriver.NewName())
	if err == nil || !strings.Contains(err.Error(), "panic: a hook is broken") {
		t.Errorf("the error is %v", err)
	}
}
