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
	"github.com/redis/go-redis/v9"
)

func TestAClosedIdleConnectionIsNotAnError(t *testing.T) {
	server := redistest.Start(t)
	d := driver{t, newStore(t, connect(t, server.Socket), goredis.Options{})}
	subject, key := newName(), newName()
	for number, call := range []func() error{
		func() error { return d.save(key, 0, subject, "data", long) },
		func() error { _, _, err := d.Load(key); return err },
		func() error { return d.touch(key, 1, subject, "data", long) },
		func() error { return d.save(key, 1, subject, "data", long) },
		func() error { _, err := d.Members(subject); return err },
		func() error { return d.Unlist(subject, key) },
		func() error { return d.Remove(key, 2) },
		func() error { return d.save(key, 0, subject, "data", long) },
	} {
		server.Do(t, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		if err := call(); err != nil {
			t.Errorf("call %d: %v", number, err)
		}
	}
}

// hang returns an open session of a server that has stopped since, and lets it go on afterwards.
func hang(t *testing.T, options goredis.Options, set ...func(*redis.Options)) (*khufu.Factory, *khufu.Session) {
	t.Helper()
	server := redistest.Start(t)
	factory := newFactory(t, khufu.Options{CustomStore: newStore(t, connect(t, server.Socket, set...), options)})
	session, err := factory.Open("")
	if err == nil {
		err = session.Set("a", 1)
	}
	if err == nil {
		_, err = session.Commit()
	}
	if err = errors.Join(err, session.Set("b", 2), server.Process.Signal(syscall.SIGSTOP)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close(); server.Process.Signal(syscall.SIGCONT) })
	return factory, session
}

func TestACallToAServerThatHangsEnds(t *testing.T) {
	respecting := func(o *redis.Options) { o.ContextTimeoutEnabled = true }
	for name, row := range map[string]struct {
		timeout time.Duration // of the store
		set     []func(*redis.Options)
		context func(context.Context) (context.Context, context.CancelFunc)
		wanted  error
	}{
		"at the store's timeout": {timeout: 50 * time.Millisecond, context: context.WithCancel},
		"at the deadline": {context: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 50*time.Millisecond)
		}, timeout: time.Hour, wanted: context.DeadlineExceeded},
		"at the deadline that the client knows": {context: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 50*time.Millisecond)
		}, timeout: time.Hour, wanted: context.DeadlineExceeded, set: []func(*redis.Options){respecting}},
		"when it is cancelled": {context: func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(50*time.Millisecond, cancel)
			return ctx, cancel
		}, timeout: time.Hour, wanted: context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			_, session := hang(t, goredis.Options{Timeout: row.timeout}, row.set...)
			ctx, cancel := row.context(t.Context())
			defer cancel()
			_, err := session.CommitContext(ctx)
			if !errors.Is(err, khufu.ErrStore) || row.wanted != nil && !errors.Is(err, row.wanted) {
				t.Errorf("the error is %v", err)
			}
			if !session.IsChanged() {
				t.Error("the session has lost its changes")
			}
		})
	}
}

func TestADoneContextFailsAtOnce(t *testing.T) {
	factory, session := hang(t, goredis.Options{Timeout: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := factory.OpenContext(ctx, "")
	_, commitErr := session.CommitContext(ctx)
	if err != context.Canceled || commitErr != context.Canceled {
		t.Errorf("%v, %v", err, commitErr)
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
	factory := newFactory(t, khufu.Options{CustomStore: newStore(t, client, goredis.Options{})})
	session, err := factory.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
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
	d := driver{t, newStore(t, client, goredis.Options{})}
	d.wantRecord(d.saved("", "data", long), 1, "data")
	if keys := master.Do(t, "DBSIZE"); keys != ":1" {
		t.Errorf("the new master has %s keys", keys)
	}
}

// A command that the server does not know is in its answer, with its arguments.
func TestAnErrorShowsNoArguments(t *testing.T) {
	server := redistest.Start(t, "--rename-command", "EVALSHA", "")
	d := driver{t, newStore(t, connect(t, server.Socket), goredis.Options{})}
	key := newName()
	err := d.save(key, 0, "", "data", long)
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
	factory := newFactory(t, khufu.Options{CustomStore: newStore(t, client, goredis.Options{})})
	session, err := factory.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	session.Set("a", 1)
	if _, err := session.CommitContext(context.WithValue(t.Context(), span{}, "request 7")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(spans, []any{"request 7", "request 7"}) {
		t.Errorf("the hook saw %v", spans)
	}
}
