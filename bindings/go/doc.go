// Package khufu reads and writes the sessions of the Pyramid web framework: the
// same cookies, with the same meaning, as Pyramid's SignedCookieSessionFactory
// and pyramid_nacl_session. A Go service beside a Pyramid application shares its
// visitors' logins, flash messages and CSRF tokens.
//
// # A request
//
// A [Factory] is made once, with the secret that the Pyramid application has. A
// [Session] is opened for each request and committed before the response is sent:
//
//	factory, err := khufu.NewFactory(khufu.Options{Secret: secret, HTTPOnly: true})
//
//	func visit(w http.ResponseWriter, r *http.Request) {
//		session, err := factory.OpenRequest(r)
//		if err != nil {
//			http.Error(w, "no session", http.StatusInternalServerError)
//			return
//		}
//		defer session.Close()
//
//		visits, _ := khufu.Get[int](session, "visits")
//		session.Set("visits", visits+1)
//
//		if err := session.CommitTo(w.Header()); err != nil {
//			http.Error(w, "the session could not be kept", http.StatusInternalServerError)
//			return
//		}
//		fmt.Fprintln(w, "visits:", visits+1)
//	}
//
// The headers of a response are gone with its first byte, so commit first, write
// then. Where net/http is not at hand, [Factory.Open] takes the text of the Cookie
// header and [Session.Commit] gives the values of Set-Cookie.
//
// # Bad cookies
//
// A cookie never makes opening fail. One that is forged, damaged or too old opens
// a new and empty session; [Session.LoadResult] says how it went and
// [Session.Refusal] why.
//
// # Sessions in a store
//
// With the type [Stored] the data is on the server, and the cookie has a signed id.
// Nothing that two requests write at once is lost: a commit makes its own changes on
// what another has written meanwhile, and the later one wins where both set the same
// key. A session that a request has ended stays ended; other requests' commits are
// then [ErrGone], and no cookie must be sent. [Session.RegenerateID] is for the moment
// of a login, [Factory.Subject] for a user who has several sessions, and [Store] (with
// [SubjectStore]) for those who keep sessions in a place of their own.
//
// Opening and committing then wait for the store, as long as [Options].StoreTimeout
// and the deadline of a context allow. They fail with [ErrStore] or [ErrConflict]. A commit
// may be tried again then: what was saved, though the answer was lost, is not made twice.
// If ErrConflict stays, open the session anew.
//
// # Values
//
// A session is an ordered dictionary of JSON values. [Session.Set] takes whatever
// encoding/json can marshal, and [Session.Get] reads into whatever it can unmarshal
// into. A value that nobody touches goes back exactly as it came, so a number that
// no Go type holds is safe. Keys and strings are UTF-8.
//
// # Errors
//
// A failure is an [*Error], with a [Status] that [errors.Is] finds and the core
// library's own explanation, or it is [ErrClosed]. The session is then as it was
// before the call.
//
//	if errors.Is(err, khufu.ErrTooLarge) {
//		// drop something and commit again
//	}
//
// # Goroutines and memory
//
// A Factory may be shared by any number of goroutines. A Session is for one
// goroutine at a time: reading it changes it too.
//
// Sessions and factories hold memory of the core library, which Close gives back
// (wiping secrets and decrypted data). What is never closed is given back some time
// after the garbage collector finds it unreachable.
package khufu
