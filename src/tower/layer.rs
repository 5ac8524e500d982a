//! The layer, which gives each request its session and commits it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::tower::error::Error;
use crate::tower::headers;
use crate::tower::session::{Slot, Taken};
use crate::{Factory, Outcome};

type ErrorHook<B> = dyn Fn(&Error) -> Response<B> + Send + Sync;

/// A layer that gives each request a [`Session`](crate::tower::Session), and commits it before the response's head is
/// sent. [The module](crate::tower) says what becomes of the session and the response in each case.
///
/// `B` is the type of the responses' bodies; the compiler infers it.
///
/// ```
/// use axum::{Router, routing::get};
/// use khufu::tower::SessionLayer;
/// # use khufu::{Factory, Options};
///
/// # let factory = Factory::new(&Options::new().secret("itsaseekreet"))?;
/// let app: Router = Router::new().route("/", get(|| async { "Hello" })).layer(SessionLayer::new(factory));
/// # Ok::<(), khufu::Error>(())
/// ```
pub struct SessionLayer<B> {
    factory: Factory,
    on_error: Arc<ErrorHook<B>>,
}

impl<B: Default + 'static> SessionLayer<B> {
    /// A layer for the sessions of a factory. Its error hook logs the error with `tracing`, and answers with the
    /// error's [status](Error::status) and no body.
    pub fn new(factory: Factory) -> Self {
        Self { factory, on_error: Arc::new(log_and_answer) }
    }
}

impl<B> SessionLayer<B> {
    /// Replaces the error hook. It makes the response if the session cannot be committed, or if a handler returned an
    /// [`Error`]. The error's text is for logs: it may describe the store, so do not send it to the visitor.
    ///
    /// ```
    /// use axum::response::IntoResponse;
    /// use khufu::tower::{Error, SessionLayer};
    /// # use khufu::{Factory, Options};
    ///
    /// # let factory = Factory::new(&Options::new().secret("itsaseekreet"))?;
    /// let layer = SessionLayer::new(factory).on_error(|error| {
    ///     eprintln!("session: {error}");
    ///     match error {
    ///         Error::Session(khufu::Error::Gone) => (error.status(), "You have logged out.").into_response(),
    ///         _ => (error.status(), "Please try again later.").into_response(),
    ///     }
    /// });
    /// # let app: axum::Router = axum::Router::new().layer(layer);
    /// # Ok::<(), khufu::Error>(())
    /// ```
    pub fn on_error(self, hook: impl Fn(&Error) -> Response<B> + Send + Sync + 'static) -> Self {
        Self { on_error: Arc::new(hook), ..self }
    }
}

fn log_and_answer<B: Default>(error: &Error) -> Response<B> {
    if error.status().is_server_error() {
        tracing::error!("session: {error}");
    } else {
        tracing::debug!("session: {error}");
    }
    let mut response = Response::new(B::default());
    *response.status_mut() = error.status();
    response
}

impl<B> Clone for SessionLayer<B> {
    fn clone(&self) -> Self {
        Self { factory: self.factory.clone(), on_error: Arc::clone(&self.on_error) }
    }
}

impl<S, B> Layer<S> for SessionLayer<B> {
    type Service = SessionService<S, B>;

    fn layer(&self, inner: S) -> SessionService<S, B> {
        SessionService { inner, layer: self.clone() }
    }
}

/// A service with sessions, made by a [`SessionLayer`].
pub struct SessionService<S, B> {
    inner: S,
    layer: SessionLayer<B>,
}

impl<S: Clone, B> Clone for SessionService<S, B> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

/// The response of a [`SessionService`].
pub type ResponseFuture<B, E> = Pin<Box<dyn Future<Output = Result<Response<B>, E>> + Send>>;

impl<S, R, B> Service<Request<R>> for SessionService<S, B>
where
    S: Service<Request<R>, Response = Response<B>>,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = ResponseFuture<B, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<R>) -> Self::Future {
        let slot = Slot::new(self.layer.factory.clone());
        request.extensions_mut().insert(Arc::clone(&slot));
        let (slot, response) = (AbandonOnDrop(slot), self.inner.call(request));
        let on_error = Arc::clone(&self.layer.on_error);
        Box::pin(async move {
            let response = response.await?;
            Ok(finish(response, slot.0.take(), &*on_error).await)
        })
    }
}

/// Takes the session if the layer does not: the handler panicked or failed, or the client went away.
struct AbandonOnDrop(Arc<Slot>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        if let Ok(Some(taken)) = self.0.take() {
            taken.abandon();
        }
    }
}

/// Commits the session, and makes the response that is sent.
async fn finish<B>(
    mut response: Response<B>,
    taken: Result<Option<Taken>, Error>,
    on_error: &ErrorHook<B>,
) -> Response<B> {
    let mut error = response.extensions_mut().remove::<Error>();
    let mut session = None;
    match taken {
        Ok(None) => {}
        Ok(Some(taken)) => {
            let before = taken.session.set_cookies().to_vec();
            let is_exception = response.status().is_server_error();
            let outcome = if is_exception { Outcome::Exception } else { Outcome::Response };
            let (committed, result) = taken.commit(outcome).await;
            error = result.err().map(Error::from).or(error);
            session = Some((committed, before));
        }
        Err(in_use) => error = Some(in_use),
    }
    if let Some(error) = error {
        response = on_error(&error);
    }
    if let Some((session, before)) = session {
        headers::merge(response.headers_mut(), session.headers(), &before);
    }
    response
}
