package goredis

import (
	"context"
	"errors"
	"strings"

	"github.com/khufu/khufu/bindings/go/internal/waiting"
	"github.com/redis/go-redis/v9"
)

// A sending says whether to send a request again if its answer is lost.
type sending int

const (
	once sending = iota
	again
)

// A command is a command of Redis with its arguments.
type command []any

// A reply is the result of one exchange with Redis.
type reply struct {
	*redis.Cmd
	// repeated is set if the request was sent twice. The server may have carried out the first
	// one although its answer was lost.
	repeated bool
}

// exchange sends a command and waits for its answer.
func (s *Store) exchange(sending sending, c command) reply {
	return s.try(sending, func(ctx context.Context) *redis.Cmd { return s.send(ctx, c) })
}

// run runs a script.
func (s *Store) run(sending sending, script *script, keys []string, arguments ...any) reply {
	return s.try(sending, func(ctx context.Context) *redis.Cmd { return s.evaluate(ctx, script, keys, arguments) })
}

// evaluate runs a script after some commands, in one round trip. It sends only the script's
// hash, and its text if the server does not know the hash.
func (s *Store) evaluate(ctx context.Context, script *script, keys []string, arguments []any, first ...command) *redis.Cmd {
	sent := s.send(ctx, append(first, evaluation("evalsha", script.hash, keys, arguments))...)
	if redis.HasErrorPrefix(sent.Err(), "NOSCRIPT") {
		sent = s.send(ctx, evaluation("eval", script.code, keys, arguments))
	}
	return sent
}

// evaluation returns the command that runs a script, which is named by its hash or its code.
func evaluation(name, script string, keys []string, arguments []any) command {
	c := command{name, script, len(keys)}
	for _, key := range keys {
		c = append(c, key)
	}
	return append(c, arguments...)
}

var errTooSlow = errors.New("no answer from Redis in time")

// try makes an exchange, and a second one if the answer is lost and the request may be sent
// again, or if the server is no longer the master: the client then looks for the new one.
func (s *Store) try(sending sending, exchange func(context.Context) *redis.Cmd) (r reply) {
	ctx, cancel := context.WithTimeoutCause(s.ctx, s.options.Timeout, errTooSlow)
	defer cancel()
	r.Cmd = exchange(ctx)
	switch err := r.Err(); {
	case ctx.Err() != nil:
	case redis.HasErrorPrefix(err, "READONLY"):
		r.Cmd = exchange(ctx)
	case isLost(err) && sending == again:
		r.Cmd, r.repeated = exchange(ctx), true
	}
	r.SetErr(withoutArguments(r.Err()))
	return r
}

// send sends commands in one write, and waits for their answers until the context is done. It
// returns the last answer, or the first error. It does not leave the waiting to the client,
// which only looks at deadlines, and only if it is configured to.
func (s *Store) send(ctx context.Context, commands ...command) *redis.Cmd {
	sent := make([]*redis.Cmd, len(commands))
	for i, command := range commands {
		sent[i] = redis.NewCmd(ctx, command...)
	}
	if err := waiting.Until(ctx, func() error { return s.process(ctx, sent) }); err != nil {
		return redis.NewCmdResult(nil, err)
	}
	return sent[len(sent)-1]
}

// process sends commands and waits for their answers. It returns the first error.
func (s *Store) process(ctx context.Context, commands []*redis.Cmd) error {
	if len(commands) == 1 {
		return s.client.Process(ctx, unrepeated{commands[0]})
	}
	pipeline := s.client.Pipeline()
	for _, command := range commands {
		pipeline.Process(ctx, unrepeated{command})
	}
	_, err := pipeline.Exec(ctx)
	return err
}

// unrepeated is a command that the client does not repeat by itself, so that the store knows
// how often it was sent.
type unrepeated struct{ *redis.Cmd }

func (unrepeated) NoRetry() bool { return true }

// isLost reports whether the server may have carried out a command whose answer is this error.
func isLost(err error) bool {
	var answer redis.Error
	return err != nil && !errors.As(err, &answer)
}

// withoutArguments removes a command's arguments from an answer of the server, which repeats
// those of a command that it does not know.
func withoutArguments(err error) error {
	if err == nil || isLost(err) {
		return err
	}
	if text, _, cut := strings.Cut(err.Error(), ", with args beginning with"); cut {
		return errors.New(text)
	}
	return err
}
