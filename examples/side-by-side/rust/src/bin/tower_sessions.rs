//! The shop with tower-sessions, which keeps its sessions in memory.

use std::io;

use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Router, http::StatusCode};
use side_by_side::{Login, Order, back, log_in_first, page, run};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, cookie::SameSite, session};

/// The error of a handler, because the library's error is not a response.
struct Failure(session::Error);

impl From<session::Error> for Failure {
    fn from(error: session::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        eprintln!("session: {}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

async fn home(session: Session) -> Result<String, Failure> {
    let (user, cart) = (session.get("user").await?, session.get("cart").await?);
    let message: Option<String> = session.remove("message").await?;
    Ok(page(user, cart, message.into_iter().collect(), None))
}

async fn log_in(session: Session, Form(form): Form<Login>) -> Result<Response, Failure> {
    session.cycle_id().await?;
    session.insert("user", &form.user).await?;
    session.insert("message", format!("Welcome, {}.", form.user)).await?;
    Ok(back())
}

async fn add(session: Session, Form(order): Form<Order>) -> Result<Response, Failure> {
    if session.get::<String>("user").await?.is_none() {
        return Ok(log_in_first());
    }
    order.reserve().await;
    let mut cart: Vec<Order> = session.get("cart").await?.unwrap_or_default();
    cart.push(order);
    session.insert("cart", cart).await?;
    Ok(back())
}

async fn log_out(session: Session) -> Result<Response, Failure> {
    session.flush().await?;
    Ok(back())
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_secure(false).with_same_site(SameSite::Lax);
    let shop = Router::new()
        .route("/", get(home))
        .route("/login", post(log_in))
        .route("/cart", post(add))
        .route("/logout", post(log_out))
        .layer(sessions);
    run(shop).await
}
