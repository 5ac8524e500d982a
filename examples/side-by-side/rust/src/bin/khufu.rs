//! The shop with khufu. Its sessions are in signed cookies, or in memory if `TYPE` is `store`.

use std::{env, error};

use axum::middleware::from_extractor;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Form, Router};
use khufu::tower::{Csrf, Error, Session, SessionLayer};
use khufu::{Factory, Options};
use side_by_side::{Login, Order, back, log_in_first, page, run};

type Result<T> = std::result::Result<T, Error>;

async fn home(session: Session) -> Result<String> {
    let mut session = session.lock()?;
    let (user, cart, messages) = (session.get("user")?, session.get("cart")?, session.pop_flash()?);
    Ok(page(user, cart, messages, Some(session.csrf_token()?)))
}

async fn log_in(session: Session, Form(form): Form<Login>) -> Result<Response> {
    let mut session = session.lock()?;
    session.regenerate_id();
    session.set("user", &form.user)?;
    session.flash(&format!("Welcome, {}.", form.user))?;
    Ok(back())
}

async fn add(session: Session, Form(order): Form<Order>) -> Result<Response> {
    if !session.lock()?.contains("user") {
        return Ok(log_in_first());
    }
    order.reserve().await;
    session.lock()?.append("cart", &order)?;
    Ok(back())
}

async fn log_out(session: Session) -> Result<Response> {
    session.lock()?.invalidate();
    Ok(back())
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn error::Error>> {
    let options = Options::new().secret(&env::var("SECRET")?).with("type", &env::var("TYPE")?).httponly(true);
    let shop = Router::new()
        .route("/", get(home))
        .route("/login", post(log_in))
        .route("/cart", post(add))
        .route("/logout", post(log_out))
        .route_layer(from_extractor::<Csrf>())
        .layer(SessionLayer::new(Factory::new(&options)?));
    Ok(run(shop).await?)
}
