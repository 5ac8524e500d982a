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

// startLossy starts a server, and returns a driver that uses it through a proxy and one that uses
// it directly. The server knows the scripts.
func startLossy(t *testing.T) (p *proxy, lossy, direct driver) {
	t.Helper()
	server := redistest.Start(t)
	p = startProxy(t, server)
	direct = driver{t, newStore(t, connect(t, server.Socket), goredis.Options{})}
	direct.want(direct.Remove(direct.saved(newName(), "", long), 0), nil)
	return p, driver{t, newStore(t, connect(t, p.socket), goredis.Options{})}, direct
}

func TestASaveWhoseAnswerWasLostIsDistinguishedFromAnotherWriters(t *testing.T) {
	p, lossy, direct := startLossy(t)
	key := direct.saved("", "1", long)
	direct.want(direct.save(key, 1, "", "2", long), nil)
	lossy.want(p.lost(lossy, func() error { return lossy.save(key, 2, "", "3", long) }), nil)
	direct.wantRecord(key, 3, "3")
	// The first request may have succeeded before the other writer saved.
	direct.want(direct.save(key, 3, "", "of another", long), nil)
	err := p.lost(lossy, func() error { return lossy.save(key, 3, "", "late", long) })
	if err == nil || errors.Is(err, khufu.ErrConflict) || !strings.Contains(err.Error(), "commit again") {
		t.Errorf("the error is %v", err)
	}
	direct.wantRecord(key, 4, "of another")
	direct.want(direct.Remove(key, 0), nil)
	lossy.want(p.lost(lossy, func() error { return lossy.save(key, 4, "", "late", long) }), khufu.ErrGone)
}

func TestATouchWhoseAnswerWasLostIsRepeated(t *testing.T) {
	p, lossy, direct := startLossy(t)
	subject := newName()
	key := direct.saved(subject, "data", long)
	touch := func(generation uint64) error {
		return p.lost(lossy, func() error { return lossy.touch(key, generation, subject, "touched", long) })
	}
	lossy.want(touch(1), nil)
	direct.wantRecord(key, 1, "touched")
	direct.want(direct.save(key, 1, subject, "more", long), nil)
	lossy.want(touch(1), khufu.ErrConflict)
	direct.want(direct.Remove(key, 0), nil)
	lossy.want(touch(2), khufu.ErrGone)
}

func TestARemovalWhoseAnswerWasLostSucceeds(t *testing.T) {
	p, lossy, direct := startLossy(t)
	for _, expected := range []uint64{0, 1} {
		key := direct.saved("", "data", long)
		lossy.want(p.lost(lossy, func() error { return lossy.Remove(key, expected) }), nil)
		direct.wantRecord(key, 0, "")
	}
	key := direct.saved("", "data", long)
	lossy.want(p.lost(lossy, func() error { return lossy.Remove(key, 2) }), khufu.ErrConflict)
}

func TestAnInsertIsSentOnce(t *testing.T) {
	p, lossy, direct := startLossy(t)
	key := newName()
	lossy.wantRecord("nothing", 0, "")
	before := p.requests.Load()
	if err := p.lost(lossy, func() error { return lossy.save(key, 0, "", "data", long) }); err == nil {
		t.Error("an insert without an answer succeeded")
	}
	if sent := p.requests.Load() - before; sent != 2 {
		t.Errorf("%d requests were sent, not one to load and one to save", sent)
	}
	direct.wantRecord(key, 1, "data")
}

func TestEveryCallIsOneRoundTrip(t *testing.T) {
	p, lossy, direct := startLossy(t)
	subject := newName()
	direct.Members(subject) // so that the server knows this script, too
	key := newName()
	lossy.wantRecord(key, 0, "")
	for name, call := range map[string]func() error{
		"load":    func() error { _, _, err := lossy.Load(key); return err },
		"save":    func() error { return lossy.save(newName(), 0, subject, "data", long) },
		"touch":   func() error { return lossy.touch(key, 1, subject, "data", long) },
		"remove":  func() error { return lossy.Remove(key, 1) },
		"members": func() error { _, err := lossy.Members(subject); return err },
	} {
		before := p.requests.Load()
		call()
		if sent := p.requests.Load() - before; sent != 1 {
			t.Errorf("%s is %d requests", name, sent)
		}
	}
}

func TestACommitWhoseAnswerWasLostMakesNoChangeTwice(t *testing.T) {
	p, lossy, direct := startLossy(t)
	factory := newFactory(t, khufu.Options{CustomStore: lossy.Store})
	session, err := factory.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	commit := func() error { _, err := session.Commit(); return err }
	lossy.want(session.Append("paid", 1), nil)
	lossy.want(p.lost(lossy, commit), khufu.ErrStore) // an insert
	lossy.want(commit(), nil)
	lossy.want(session.Append("paid", 2), nil)
	lossy.want(p.lost(lossy, commit), nil)
	value, err := session.Value()
	if err != nil {
		t.Fatal(err)
	}
	again, err := newFactory(t, khufu.Options{CustomStore: direct.Store}).OpenValue(t.Context(), value)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if state, err := again.ToJSON(); err != nil || string(state) != `{"paid":[1,2]}` {
		t.Errorf("the state is %s, %v", state, err)
	}
}

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

func TestScriptsAreSentToAServerThatForgotThem(t *testing.T) {
	server := redistest.Start(t)
	d := driver{t, newStore(t, connect(t, server.Socket), goredis.Options{})}
	subject := newName()
	key := d.saved(subject, "data", long)
	for _, call := range []func() error{
		func() error { return d.save(key, 1, subject, "more", long) },
		func() error { return d.touch(key, 2, subject, "more", long) },
		func() error { _, err := d.Members(subject); return err },
		func() error { return d.Remove(key, 2) },
	} {
		server.Do(t, "SCRIPT", "FLUSH")
		d.want(call(), nil)
	}
}

func TestAValueThatIsNotARecordIsNeverOverwritten(t *testing.T) {
	server := redistest.Start(t)
	d := driver{t, newStore(t, connect(t, server.Socket), goredis.Options{})}
	server.Do(t, "SET", "khufu:short", "abc")
	if record, generation, err := d.Load("short"); string(record) != "abc" || generation != 0 || err != nil {
		t.Errorf("%q of generation %d, %v", record, generation, err)
	}
	for _, expected := range []uint64{0, 1} {
		d.want(d.save("short", expected, "", "data", long), khufu.ErrConflict)
	}
	d.want(d.touch("short", 1, "", "data", long), khufu.ErrConflict)
	d.want(d.Remove("short", 1), khufu.ErrConflict)
	server.Do(t, "RPUSH", "khufu:list", "abc")
	_, _, err := d.Load("list")
	for _, err := range []error{err, d.save("list", 0, "", "data", long), d.Remove("list", 0)} {
		if !redis.HasErrorPrefix(err, "WRONGTYPE") {
			t.Errorf("the error is %v", err)
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

// A tracer is a hook that notes a value of the context of each script.
type tracer struct{ spans []any }

type span struct{}

func (*tracer) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*tracer) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (t *tracer) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if command.Name() == "evalsha" || command.Name() == "eval" {
			t.spans = append(t.spans, ctx.Value(span{}))
		}
		return next(ctx, command)
	}
}

func TestHooksOfTheClientGetTheContextOfTheCall(t *testing.T) {
	client, hook := connect(t, redistest.Start(t).Socket), new(tracer)
	client.AddHook(hook)
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
	if !slices.Equal(hook.spans, []any{"request 7", "request 7"}) {
		t.Errorf("the hook saw %v", hook.spans)
	}
}
