//! A small shop in axum, with a login, flash messages, CSRF tokens, a cart and a logout.
//!
//!     KHUFU_SECRET=… cargo run --features tower --example axum [PORT]
//!
//! It listens on 127.0.0.1, by default at port 8080. Sessions are in a signed cookie, or in a store if `KHUFU_STORE` is
//! its URL. `scripts/test-axum` visits the shop as a browser would.

mod page;

use std::env;

use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use khufu::tower::{Error, Session, SessionLayer};
use khufu::{Factory, Options};
use serde::Deserialize;

#[derive(Deserialize)]
struct Login {
    user: String,
    csrf_token: String,
}

#[derive(Deserialize)]
struct Article {
    sku: String,
    csrf_token: String,
}

#[derive(Deserialize)]
struct Logout {
    csrf_token: String,
}

async fn home(session: Session) -> Result<Html<String>, Error> {
    let mut session = session.lock()?;
    let csrf_token = session.csrf_token()?.to_owned();
    let (user, cart) = (session.get("user")?, session.get("cart")?.unwrap_or_default());
    Ok(Html(page::home(&csrf_token, user, cart, session.pop_flash()?)))
}

async fn login(session: Session, Form(form): Form<Login>) -> Result<Redirect, Error> {
    session.check_csrf_token(&form.csrf_token)?;
    let mut session = session.lock()?;
    session.regenerate_id(); // in a store, a login needs a new id
    session.new_csrf_token()?;
    session.set("user", &form.user)?;
    session.flash(&format!("Welcome, {}.", form.user))?;
    Ok(Redirect::to("/"))
}

async fn add(session: Session, Form(form): Form<Article>) -> Result<Redirect, Error> {
    session.check_csrf_token(&form.csrf_token)?;
    let mut session = session.lock()?;
    session.append("cart", &form.sku)?;
    session.flash(&format!("{} is in your cart.", form.sku))?;
    Ok(Redirect::to("/"))
}

async fn logout(session: Session, Form(form): Form<Logout>) -> Result<Redirect, Error> {
    session.check_csrf_token(&form.csrf_token)?;
    session.lock()?.invalidate();
    Ok(Redirect::to("/"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = Options::new().secret(&env::var("KHUFU_SECRET")?).httponly(true);
    if let Ok(url) = env::var("KHUFU_STORE") {
        options = options.store(&url);
    }
    let sessions = SessionLayer::new(Factory::new(&options)?).on_error(|error| {
        eprintln!("session: {error}"); // the reason is for the log only
        (error.status(), Html(page::sorry())).into_response()
    });
    let shop = Router::new()
        .route("/", get(home))
        .route("/login", post(login))
        .route("/cart", post(add))
        .route("/logout", post(logout))
        .layer(sessions)
        .route("/health", get(|| async { "well\n" })); // outside the layer: it needs no session
    let port: u16 = env::args().nth(1).as_deref().unwrap_or("8080").parse()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    Ok(axum::serve(listener, shop).await?)
}
