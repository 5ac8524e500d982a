// Package khufu reads and writes the sessions of the Pyramid web framework. It uses
// the same cookies as Pyramid's SignedCookieSessionFactory and pyramid_nacl_session,
// so that a Go service next to a Pyramid application shares its visitors' logins,
// flash messages and CSRF tokens.
//
// # A request
//
// Make one [Factory], with the secret of the Pyramid application, and put its middleware
// around your handlers. Each request then has a [Session]:
//
//	sessions, err := khufu.NewFactory(khufu.Options{Secret: secret, HTTPOnly: true})
//	http.ListenAndServe(":8080", sessions.Middleware(mux))
//
//	func visit(w http.ResponseWriter, r *http.Request) {
//		session := khufu.FromContext(r.Context())
//		visits, err := session.Increment("visits", 1)
//		if err != nil {
//			http.Error(w, "cannot count the visit", http.StatusInternalServerError)
//			return
//		}
//		fmt.Fprintln(w, "visits:", visits)
//	}
//
// The middleware commits the session before the first byte of the response, so change it
// before you write. If the store fails, the middleware answers the request.
//
// Without the middleware, open the session with [Factory.OpenRequest], and call
// [Session.CommitTo] before you write. Without net/http, pass the value of the Cookie header
// to [Factory.Open] and send the headers that [Session.Commit] returns. Without cookies, use
// [Session.Value] and [Factory.OpenValue].
//
// # Bad cookies
//
// A cookie never makes opening fail. If it is forged, damaged or expired, the session
// is new and empty. [Session.LoadResult] says how the cookie was opened, and
// [Session.Refusal] why it was refused.
//
// # Sessions in a store
//
// With the type [Stored], the data is on the server and the cookie holds a signed id.
// Concurrent requests do not lose each other's changes: a commit applies only its own
// changes to the session that the store has by then. If two requests set the same key,
// the later commit wins. What they add with [Session.Append] and [Session.Increment] adds
// up. A session that a request has ended stays ended: the commits of other requests fail
// with [ErrGone], and those responses must not send a cookie.
//
// Call [Session.RegenerateID] when a user logs in. [Factory.Subject] lists and ends the
// sessions of one user. To keep sessions in a store of your own, implement [Store], and
// also [SubjectStore] if you use subjects.
//
// Opening and committing wait for the store, for at most [Options].StoreTimeout and until
// the context's deadline. They fail with [ErrStore] or [ErrConflict]. You can then call
// Commit again: changes that the store has already saved are not made twice. If
// ErrConflict persists, open the session again. [Factory.Transact] does that.
//
// # Values
//
// A session is an ordered dictionary of JSON values. [Session.Set] accepts any value that
// encoding/json can marshal, and [Session.Get] reads into any variable that it can
// unmarshal into. A value that you do not change is written back exactly as it was, even
// a number that fits no Go type. Keys and strings are UTF-8.
//
// # Errors
//
// Most errors are an [*Error], which has a [Status] that [errors.Is] finds and a message
// that explains it. The others are [ErrClosed], [ErrVersion] and the errors of a context.
// A call that fails leaves the session as it was.
//
//	if errors.Is(err, khufu.ErrTooLarge) {
//		// delete something and commit again
//	}
//
// # Goroutines and memory
//
// Any number of goroutines may share a Factory. If several goroutines use one Session, each
// call waits for the others.
//
// Sessions and factories hold memory of the core library. Close frees it and wipes
// secrets and decrypted data. If you do not call Close, the memory is freed some time
// after the garbage collector finds the session or factory unreachable.
package khufu
