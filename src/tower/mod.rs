//! Sessions in a server made with [tower](https://docs.rs/tower) or [axum](https://docs.rs/axum): the feature `tower`.
//!
//! [`SessionLayer`] goes around the application. A handler that takes a [`Session`] opens the request's session. The
//! layer commits it, once, before the response's head is sent, and adds the headers that the response needs. A request
//! whose handler does not open the session costs next to nothing, and its response gets no header.
//!
//! ```
//! use axum::{Router, routing::get};
//! use khufu::tower::{Error, Session, SessionLayer};
//! use khufu::{Factory, Options};
//!
//! async fn visits(session: Session) -> Result<String, Error> {
//!     let mut session = session.lock()?;
//!     let visits = session.increment("visits", 1)?;
//!     Ok(format!("visit {visits}\n"))
//! }
//!
//! let factory = Factory::new(&Options::new().secret("itsaseekreet").httponly(true))?;
//! let app: Router = Router::new().route("/", get(visits)).layer(SessionLayer::new(factory));
//! # Ok::<(), khufu::Error>(())
//! ```
//!
//! # What the response is
//!
//! | the handler | the session | the response |
//! |---|---|---|
//! | returns a response | is committed | is sent, with the session's headers |
//! | returns a status from 500 to 599 | is committed, unless `set_on_exception` is off | is sent, with the headers |
//! | returns an [`Error`] | is committed, as for the error's status | is the error hook's |
//! | returns a response, but the commit fails | is not saved | is the error hook's; the handler's is not sent |
//! | panics, or the service fails | is not saved, but ends if it was invalidated | is not made by this layer |
//! | does not finish, as the client went away | is not saved, but ends if it was invalidated | |
//! | uses the session after the commit | does not change | is sent; [`Session::lock`] is [`Error::Committed`] |
//!
//! If a client goes away during the commit, the session may be saved.
//!
//! # Waiting for a store
//!
//! Sessions in Redis, SQLite or a custom store are opened and committed on tokio's pool for blocking calls, so that a
//! slow store does not stop other requests. Sessions in cookies and in `memory:` never wait, and do not leave the
//! thread. `docs/performance.md` has the measurement behind this.

mod csrf;
mod error;
mod headers;
mod job;
mod layer;
mod session;

pub use csrf::Csrf;
pub use error::Error;
pub use layer::{ResponseFuture, SessionLayer, SessionService};
pub use session::{Session, SessionGuard};
