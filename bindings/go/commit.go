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

// OnException tells Commit that the request ended in an error. With NoSetOnException,
// Commit then writes nothing, and the browser's cookie stays as it is. A session that was
// ended by [Session.Invalidate] still ends, and what was set afterwards is dropped.
const OnException CommitOption = C.KHUFU_COMMIT_EXCEPTION

// Commit writes the session if it changed, and returns the values of all Set-Cookie
// headers that the response needs: none if the browser's cookie need not change, two for
// a logout with Domain. If Commit is called again, the values that it returns replace the
// earlier ones; without changes in between, they are the same.
//
// If the session does not fit into a cookie, the error is [ErrTooLarge] and the session
// stays as it is: delete something and commit again. In a store, a commit keeps the
// changes that other requests have made meanwhile. If another request has ended the
// session, the error is [ErrGone], and the session stays ended.
func (s *Session) Commit(options ...CommitOption) ([]string, error) {
	return s.CommitContext(context.Background(), options...)
}

// CommitContext does the same as Commit, but waits for the store only until the context's
// deadline, or for StoreTimeout if that is shorter. If the context is already done, it
// fails with the context's error and writes nothing. Cancelling the context later does
// not interrupt it.
func (s *Session) CommitContext(ctx context.Context, options ...CommitOption) ([]string, error) {
	defer runtime.KeepAlive(s)
	seconds, err := timeoutFor(ctx)
	if err != nil {
		return nil, err
	}
	var flags C.uint32_t
	for _, option := range options {
		flags |= C.uint32_t(option)
	}
	var cause C.uintptr_t
	status := C.khufu_go_commit(s.handleForCall(), flags, seconds, &cause)
	if err := withCause(cause, s.check(status)); err != nil {
		return nil, deadlineError(ctx, err)
	}
	var values []string
	for {
		var value *C.char
		var length C.size_t
		status := C.khufu_session_set_cookie(s.handleForCall(), C.size_t(len(values)), &value, &length)
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

// Vary reports, after a commit, whether the response depended on the session. If it did,
// the response needs the header "Vary: Cookie", and shared caches must not store it.
func (s *Session) Vary() bool {
	defer runtime.KeepAlive(s)
	return bool(C.khufu_session_vary(s.handleForCall()))
}

// CommitTo commits the session and sets the response's headers, which must not have been
// sent yet: Set-Cookie and, if Vary reports true, "Vary: Cookie" and
// "Cache-Control: private". It replaces the cookies of earlier commits of this session
// and keeps all other cookies and header values. On an error it leaves the headers as
// they were.
func (s *Session) CommitTo(header http.Header, options ...CommitOption) error {
	return s.CommitToContext(context.Background(), header, options...)
}

// CommitToContext does the same as CommitTo, but waits for the store only until the
// context's deadline, as CommitContext does.
func (s *Session) CommitToContext(ctx context.Context, header http.Header, options ...CommitOption) error {
	previous := s.committed
	values, err := s.CommitContext(ctx, options...)
	if err != nil {
		return err
	}
	if len(values) > 0 {
		others := slices.DeleteFunc(slices.Clone(header["Set-Cookie"]), func(value string) bool {
			return slices.Contains(previous, hash(value))
		})
		header["Set-Cookie"] = append(others, values...)
	}
	if s.Vary() {
		if !containsToken(header["Vary"], "Cookie", "*") {
			header.Add("Vary", "Cookie")
		}
		if !containsToken(header["Cache-Control"], "private", "no-store") {
			header.Add("Cache-Control", "private")
		}
	}
	return nil
}

var seed = maphash.MakeSeed()

// hash identifies a Set-Cookie value. A session keeps hashes instead of cookies, so that
// printing it shows no cookie.
func hash(value string) uint64 { return maphash.String(seed, value) }

// containsToken reports whether one of the tokens is in comma-separated header values.
func containsToken(values []string, tokens ...string) bool {
	for _, value := range values {
		for token := range strings.SplitSeq(value, ",") {
			if slices.ContainsFunc(tokens, func(t string) bool { return strings.EqualFold(t, strings.TrimSpace(token)) }) {
				return true
			}
		}
	}
	return false
}
