use axum_core::response::{IntoResponse, Response};
use http::StatusCode;

/// The reason why a request could not use its session.
///
/// A handler may return it. The [`SessionLayer`](crate::tower::SessionLayer) then answers with its error hook, which
/// gets the error. Without the hook, and for an application that converts the error into a response itself, the
/// response has the error's status and no body. So the visitor does not see the reason.
///
/// ```
/// use khufu::tower::{Error, Session};
///
/// async fn cart(session: Session) -> Result<String, Error> {
///     let items: Option<Vec<String>> = session.lock()?.get("cart")?;
///     Ok(items.unwrap_or_default().join("\n"))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Opening, using or committing the session failed.
    #[error(transparent)]
    Session(#[from] crate::Error),
    /// The session was committed before this call, or the request has ended. The call changed nothing.
    #[error("the session was committed already: change it before the handler returns its response")]
    Committed,
    /// This task already holds a [`SessionGuard`](crate::tower::SessionGuard) of the session. Drop it first.
    #[error("the session is in use: drop the guard of the earlier call to lock first")]
    InUse,
    /// There is no [`SessionLayer`](crate::tower::SessionLayer) around the handler.
    #[error("there is no SessionLayer around this handler: add one to the router")]
    NoLayer,
    /// The request has no CSRF token, or a wrong one.
    #[error("the request has no CSRF token, or a wrong one")]
    Csrf,
}

impl Error {
    /// The status of a response to this error: 503 if the store failed, 403 if the CSRF token is wrong (Pyramid: 400),
    /// and otherwise 500.
    ///
    /// ```
    /// use khufu::tower::Error;
    ///
    /// let error = Error::from(khufu::Error::Store("connection refused".to_owned()));
    /// assert_eq!(error.status(), 503);
    /// ```
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Session(crate::Error::Store(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Csrf => StatusCode::FORBIDDEN,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self); // for the layer, which calls the error hook
        response
    }
}
