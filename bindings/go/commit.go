package khufu

// #include "callbacks.h"
import "C"

import (
	"context"
	"hash/maphash"
	"net/http"
	"runtime"
	"slices"
	"strings"
)

// A CommitOption changes what [Session.Commit] does.
type CommitOption uint32

// OnException says that the request ended in an error: with NoSetOnException, the
// browser's cookie then stays as it is. After [Session.Invalidate] the session ends all
// the same, and what was set after that is dropped.
const OnException CommitOption = C.KHUFU_COMMIT_EXCEPTION

// Commit writes the session if it changed, and gives the values of the Set-Cookie
// headers that the whole response needs: none if the session need not be written, two
// for a logout with Domain. A further commit gives the values that take the place of
// these; without changes in between, the same.
//
// A session that does not fit into a cookie is [ErrTooLarge], and stays as it is: drop
// something and commit again. In a store, changes that other requests have made
// meanwhile are kept; one that another request has ended is [ErrGone], and stays ended.
func (s *Session) Commit(options ...CommitOption) ([]string, error) {
	return s.CommitContext(context.Background(), options...)
}

// CommitContext is Commit that waits for the store no longer than until the context's
// deadline, or for StoreTimeout if that is less. Where the context is done already, it
// fails with the context's error, and nothing was written; a context that is cancelled
// later does not end it.
func (s *Session) CommitContext(ctx context.Context, options ...CommitOption) ([]string, error) {
	defer runtime.KeepAlive(s)
	seconds, err := patience(ctx)
	if err != nil {
		return nil, err
	}
	var flags C.uint32_t
	for _, option := range options {
		flags |= C.uint32_t(option)
	}
	var cause C.uintptr_t
	status := C.khufu_go_commit(s.use(), flags, seconds, &cause)
	if err := because(cause, s.check(status)); err != nil {
		return nil, late(ctx, err)
	}
	var values []string
	for {
		var value *C.char
		var length C.size_t
		status := C.khufu_session_set_cookie(s.use(), C.size_t(len(values)), &value, &length)
		if status == C.KHUFU_NOT_FOUND {
			for _, value := range values {
				s.committed = append(s.committed, hash(value))
			}
			return values, nil
		}
		if err := s.check(status); err != nil {
			return nil, err
		}
		values = append(values, copied(value, length))
	}
}

// Vary says, after a commit, whether the response depended on the session: then it
// needs "Vary: Cookie" and no shared cache may store it.
func (s *Session) Vary() bool {
	defer runtime.KeepAlive(s)
	return bool(C.khufu_session_vary(s.use()))
}

// CommitTo commits and puts what follows from it into the headers of the response,
// which must not have been sent yet: Set-Cookie and, where Vary says so, "Vary: Cookie"
// and "Cache-Control: private". Cookies that an earlier commit of this session put there
// are replaced; what others have put there stays. After an error the headers are as they
// were.
func (s *Session) CommitTo(header http.Header, options ...CommitOption) error {
	return s.CommitToContext(context.Background(), header, options...)
}

// CommitToContext is CommitTo with CommitContext's patience.
func (s *Session) CommitToContext(ctx context.Context, header http.Header, options ...CommitOption) error {
	former := s.committed
	values, err := s.CommitContext(ctx, options...)
	if err != nil {
		return err
	}
	if len(values) > 0 {
		others := slices.DeleteFunc(slices.Clone(header["Set-Cookie"]), func(value string) bool {
			return slices.Contains(former, hash(value))
		})
		header["Set-Cookie"] = append(others, values...)
	}
	if s.Vary() {
		if !lists(header["Vary"], "Cookie", "*") {
			header.Add("Vary", "Cookie")
		}
		if !lists(header["Cache-Control"], "private", "no-store") {
			header.Add("Cache-Control", "private")
		}
	}
	return nil
}

var seed = maphash.MakeSeed()

// hash stands for a cookie, which nobody may find by printing a session.
func hash(value string) uint64 { return maphash.String(seed, value) }

// lists says whether comma-separated header values hold one of the tokens.
func lists(values []string, tokens ...string) bool {
	for _, value := range values {
		for token := range strings.SplitSeq(value, ",") {
			if slices.ContainsFunc(tokens, func(t string) bool { return strings.EqualFold(t, strings.TrimSpace(token)) }) {
				return true
			}
		}
	}
	return false
}
