package khufu

// #include "callbacks.h"
import "C"

import (
	"context"
	"maps"
	"net/http"
)

// A CommitOption changes what [Session.Commit] does.
type CommitOption uint32

// OnException tells Commit that the request ended in an error. With NoSetOnException,
// Commit then writes nothing, and the browser's cookie stays as it is. A session that was
// ended by [Session.Invalidate] still ends, and what was set afterwards is dropped.
const OnException CommitOption = C.KHUFU_COMMIT_EXCEPTION

// Commit writes the session if it changed, and returns the headers that the response needs:
// Set-Cookie, Vary and Cache-Control, or none. [Session.CommitTo] merges them into the
// response's own. If Commit is called again, the headers that it returns replace the
// earlier ones.
//
// If the session does not fit into a cookie, the error is [ErrTooLarge] and the session
// stays as it is: delete something and commit again. In a store, a commit keeps the
// changes that other requests have made meanwhile. If another request has ended the
// session, the error is [ErrGone], and the session stays ended.
//
// After an error, the headers are those of the last commit that succeeded. There are two
// exceptions: after [Session.Invalidate] they remove the browser's cookie, and after ErrGone
// they set none.
func (s *Session) Commit(options ...CommitOption) (http.Header, error) {
	return s.CommitContext(context.Background(), options...)
}

// CommitContext does the same as Commit, but waits for the store only until the context's
// deadline, or for StoreTimeout if that is shorter. If the context is already done, it
// fails with the context's error and writes nothing. Cancelling the context later does
// not interrupt it, unless the store is a [ContextStore].
func (s *Session) CommitContext(ctx context.Context, options ...CommitOption) (http.Header, error) {
	header := http.Header{}
	return header, s.CommitToContext(ctx, header, options...)
}

// CommitTo commits the session as [Session.Commit] does, and merges the headers that the
// response needs into its own, which must not have been sent yet. It does so after an error,
// too, so that a logout reaches the browser even if the store fails.
//
// The cookies of earlier commits of this session are replaced; all other cookies stay. Vary
// gets the value Cookie, unless it has it or *. Cache-Control gets the directive private,
// or no-store if the session ended, unless it has one that is as strict; its directives
// public and s-maxage are removed.
func (s *Session) CommitTo(header http.Header, options ...CommitOption) error {
	return s.CommitToContext(context.Background(), header, options...)
}

// CommitToContext does the same as CommitTo, but waits for the store only until the
// context's deadline, as CommitContext does.
func (s *Session) CommitToContext(ctx context.Context, header http.Header, options ...CommitOption) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	err := s.commit(ctx, options)
	if s.handle != nil {
		s.mergeHeaders(header)
	}
	return err
}

// commitLast commits the session of a response whose head is about to be sent. If that fails,
// the response's headers become what they were before, and those that the session needs.
func (s *Session) commitLast(ctx context.Context, header, before http.Header, options []CommitOption) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	err := s.commit(ctx, options)
	s.sent = true
	if err != nil {
		clear(header)
		maps.Copy(header, before)
	}
	if s.handle != nil {
		s.mergeHeaders(header)
	}
	return err
}

func (s *Session) commit(ctx context.Context, options []CommitOption) error {
	seconds, err := timeoutFor(ctx)
	if err != nil {
		return err
	}
	var flags C.uint32_t
	for _, option := range options {
		flags |= C.uint32_t(option)
	}
	dialog := newDialog(ctx, s.store)
	defer dialog.end()
	call := begin(dialog)
	var status C.khufu_status
	for again := true; again; again = dialog.goesOn(status) {
		status = C.khufu_go_commit(s.handleForChange(), flags, seconds, &call)
	}
	return deadlineError(ctx, end(&call, s.checkChange(status)))
}
