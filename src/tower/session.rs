//! A request's session, as its handlers share it with the layer.

use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use axum_core::extract::FromRequestParts;
use http::header::COOKIE;
use http::request::Parts;
use http::{Extensions, HeaderMap};
use parking_lot::{ReentrantMutex, ReentrantMutexGuard};

use crate::tower::error::Error;
use crate::tower::job::Job;
use crate::{Factory, Outcome};

/// The session of a request, as an extractor. Taking it opens the session. Call [`Session::lock`] to use it.
///
/// Clones refer to the same session, so middleware, extractors and the handler of one request see each other's changes.
///
/// ```
/// use axum::{Form, response::Redirect};
/// use khufu::tower::{Error, Session};
///
/// #[derive(serde::Deserialize)]
/// struct Login {
///     user: String,
/// }
///
/// async fn login(session: Session, Form(form): Form<Login>) -> Result<Redirect, Error> {
///     let mut session = session.lock()?;
///     session.regenerate_id();
///     session.set("user", &form.user)?;
///     session.flash("You are logged in.")?;
///     Ok(Redirect::to("/"))
/// }
/// # let app: axum::Router = axum::Router::new().route("/login", axum::routing::post(login));
/// ```
#[derive(Clone)]
pub struct Session(Arc<Slot>);

/// The place of a request's session, which the layer adds to the request.
pub(super) struct Slot {
    factory: Factory,
    /// The lock admits its own thread again, which then finds [`State::InUse`] instead of waiting for itself.
    state: ReentrantMutex<Cell<State>>,
}

enum State {
    Unopened,
    Opened(Box<crate::Session>),
    /// A [`SessionGuard`] has the session.
    InUse,
    /// The layer has the session, or had it.
    Committed,
}

/// The layer's access to the session.
pub(super) struct Taken {
    pub session: Box<crate::Session>,
    may_wait: bool,
}

impl Slot {
    pub fn new(factory: Factory) -> Arc<Self> {
        Arc::new(Self { factory, state: ReentrantMutex::new(Cell::new(State::Unopened)) })
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let lock = self.state.lock();
        let mut state = lock.replace(State::InUse);
        let result = work(&mut state);
        lock.set(state);
        result
    }

    /// Takes the session away from the handler. `None` if it was not opened.
    ///
    /// # Errors
    /// [`Error::InUse`] if a guard still has the session, which is possible in tasks that stay on one thread.
    pub fn take(&self) -> Result<Option<Taken>, Error> {
        match self.state.lock().replace(State::Committed) {
            State::Opened(session) => Ok(Some(Taken { session, may_wait: self.factory.may_wait() })),
            State::InUse => Err(Error::InUse),
            State::Unopened | State::Committed => Ok(None),
        }
    }
}

impl Taken {
    /// Commits the session. Returns it with the result.
    pub async fn commit(mut self, outcome: Outcome) -> (Box<crate::Session>, Result<(), crate::Error>) {
        let writes = self.session.is_changed() || self.session.has_ended();
        Job::begin(self.may_wait && writes, move || {
            let result = self.session.commit(outcome).map(|_| ());
            (self.session, result)
        })
        .await
    }

    /// Ends the session if the request invalidated it. Nothing else is saved.
    pub fn abandon(mut self) {
        if self.session.has_ended() {
            drop(Job::begin(self.may_wait, move || {
                self.session.invalidate(); // drops what was set afterwards
                if let Err(error) = self.session.commit(Outcome::Exception) {
                    tracing::error!("a session could not be ended: {error}");
                }
            }));
        }
    }
}

impl Session {
    /// Opens the session of a request, given the request's headers and extensions, or returns it if it is open. This
    /// is for services that do not use axum's extractors.
    ///
    /// ```
    /// use axum::{body::Body, http::Request};
    /// use khufu::tower::{Error, Session};
    ///
    /// async fn answer(request: Request<Body>) -> Result<String, Error> {
    ///     let session = Session::open(request.headers(), request.extensions()).await?;
    ///     let user: Option<String> = session.lock()?.get("user")?;
    ///     Ok(user.unwrap_or_default())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::NoLayer`] if there is no [`SessionLayer`](crate::tower::SessionLayer) around the service;
    /// [`Error::Session`] as for [`Factory::open`].
    pub async fn open(headers: &HeaderMap, extensions: &Extensions) -> Result<Self, Error> {
        let slot = Arc::clone(extensions.get::<Arc<Slot>>().ok_or(Error::NoLayer)?);
        if slot.with_state(|state| matches!(state, State::Unopened)) {
            let cookie = cookie_header(headers);
            let factory = slot.factory.clone();
            let may_wait = factory.may_wait() && !cookie.is_empty();
            let opened = Box::new(Job::begin(may_wait, move || factory.open(&cookie)).await?);
            slot.with_state(|state| {
                // Another task of this request may have opened it meanwhile.
                if let State::Unopened = state {
                    *state = State::Opened(opened);
                }
            });
        }
        Ok(Self(slot))
    }

    /// Locks the session for the thread, so that it can be used: the guard dereferences to [`khufu::Session`]. Drop the
    /// guard before the next `await`; the compiler insists on it where tasks may move between threads.
    ///
    /// ```
    /// use khufu::tower::{Error, Session};
    ///
    /// async fn greet(session: Session) -> Result<String, Error> {
    ///     let messages: Vec<String> = session.lock()?.pop_flash()?;
    ///     Ok(messages.join("\n"))
    /// }
    /// ```
    ///
    /// [`khufu::Session`]: crate::Session
    ///
    /// # Errors
    /// [`Error::Committed`] if the layer has committed the session; [`Error::InUse`] if the thread holds a guard of
    /// this session already.
    pub fn lock(&self) -> Result<SessionGuard<'_>, Error> {
        let lock = self.0.state.lock();
        match lock.replace(State::InUse) {
            State::Opened(session) => Ok(SessionGuard { lock, session: Some(session) }),
            State::InUse => Err(Error::InUse),
            other => {
                lock.set(other);
                Err(Error::Committed)
            }
        }
    }

    /// Checks a CSRF token, for example from a form. [`Csrf`](crate::tower::Csrf) checks the one in a request's header.
    ///
    /// ```
    /// use axum::Form;
    /// use khufu::tower::{Error, Session};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Order {
    ///     item: String,
    ///     csrf_token: String,
    /// }
    ///
    /// async fn order(session: Session, Form(order): Form<Order>) -> Result<(), Error> {
    ///     session.check_csrf_token(&order.csrf_token)?;
    ///     session.lock()?.append("cart", &order.item)?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Csrf`] if it is not the session's token, and as for [`Session::lock`].
    pub fn check_csrf_token(&self, token: impl AsRef<[u8]>) -> Result<(), Error> {
        if self.lock()?.check_csrf_token(token.as_ref()) { Ok(()) } else { Err(Error::Csrf) }
    }
}

/// The request's cookies. In HTTP/2 they may be in several headers (RFC 9113, section 8.2.3).
fn cookie_header(headers: &HeaderMap) -> Vec<u8> {
    let lines: Vec<_> = headers.get_all(COOKIE).iter().map(|line| line.as_bytes()).collect();
    lines.join(&b"; "[..])
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Self::open(&parts.headers, &parts.extensions).await
    }
}

impl fmt::Debug for Session {
    /// Shows nothing of the session.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").finish_non_exhaustive()
    }
}

/// A locked session, from [`Session::lock`]. It dereferences to [`khufu::Session`](crate::Session), and unlocks the
/// session when it is dropped.
pub struct SessionGuard<'h> {
    lock: ReentrantMutexGuard<'h, Cell<State>>,
    /// `None` only while the guard is dropped.
    session: Option<Box<crate::Session>>,
}

impl Deref for SessionGuard<'_> {
    type Target = crate::Session;

    fn deref(&self) -> &crate::Session {
        self.session.as_ref().expect("the guard is not dropped")
    }
}

impl DerefMut for SessionGuard<'_> {
    fn deref_mut(&mut self) -> &mut crate::Session {
        self.session.as_mut().expect("the guard is not dropped")
    }
}

impl Drop for SessionGuard<'_> {
    fn drop(&mut self) {
        let session = self.session.take().expect("a guard is dropped once");
        if let State::InUse = self.lock.replace(State::Opened(session)) {
            return;
        }
        self.lock.set(State::Committed); // the layer could not wait for this guard
    }
}
