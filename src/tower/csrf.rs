use axum_core::extract::FromRequestParts;
use http::request::Parts;

use crate::tower::error::Error;
use crate::tower::session::Session;

/// An extractor that checks the CSRF token in the request's header `X-CSRF-Token`. As in Pyramid, requests whose method
/// is GET, HEAD, OPTIONS or TRACE need no token.
///
/// It can protect a whole router, or one handler that takes it as an argument. For a token in a form, use
/// [`Session::check_csrf_token`].
///
/// ```
/// use axum::{Router, middleware::from_extractor, routing::post};
/// use khufu::tower::{Csrf, Error, Session, SessionLayer};
/// # use khufu::{Factory, Options};
///
/// async fn add(session: Session, item: String) -> Result<(), Error> {
///     Ok(session.lock()?.append("cart", &item)?)
/// }
///
/// # let factory = Factory::new(&Options::new().secret("itsaseekreet"))?;
/// let app: Router = Router::new()
///     .route("/cart", post(add))
///     .route_layer(from_extractor::<Csrf>())
///     .layer(SessionLayer::new(factory));
/// # Ok::<(), khufu::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Csrf;

impl<S: Sync> FromRequestParts<S> for Csrf {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        if !parts.method.is_safe() {
            let token = parts.headers.get("x-csrf-token").ok_or(Error::Csrf)?;
            Session::open(&parts.headers, &parts.extensions).await?.check_csrf_token(token)?;
        }
        Ok(Self)
    }
}
