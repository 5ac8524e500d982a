//! What the programs in Rust share: everything except the sessions.

use std::env;
use std::fmt::Write;
use std::io;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The form of a login.
#[derive(Deserialize)]
pub struct Login {
    pub user: String,
}

/// A line of the cart.
#[derive(Serialize, Deserialize)]
pub struct Order {
    pub sku: String,
    pub quantity: u32,
}

impl Order {
    /// Waits for the answer of the warehouse, which is a TCP server. Without one it returns at once.
    pub async fn reserve(&self) {
        if let Ok(address) = env::var("WAREHOUSE") {
            let mut stream = TcpStream::connect(address).await.expect("the warehouse is open");
            stream.write_all(format!("{}\n", self.sku).as_bytes()).await.expect("the warehouse listens");
            stream.read(&mut [0]).await.expect("the warehouse answers");
        }
    }
}

/// The page that the visitor sees, as text. The token is the CSRF token, if the library has one.
pub fn page(user: Option<String>, cart: Option<Vec<Order>>, messages: Vec<String>, token: Option<&str>) -> String {
    let mut text = format!("user {}\n", user.unwrap_or_default());
    for order in cart.unwrap_or_default() {
        let _ = writeln!(text, "cart {} {}", order.sku, order.quantity);
    }
    for message in messages {
        let _ = writeln!(text, "message {message}");
    }
    if let Some(token) = token {
        let _ = writeln!(text, "token {token}");
    }
    text
}

/// The response after a POST: a redirection to the page.
pub fn back() -> Response {
    Redirect::to("/").into_response()
}

/// The response if the visitor has not logged in.
pub fn log_in_first() -> Response {
    (StatusCode::FORBIDDEN, "Log in first.\n").into_response()
}

/// Serves the shop at `ADDRESS`.
pub async fn run(shop: Router) -> io::Result<()> {
    let address = env::var("ADDRESS").map_err(io::Error::other)?;
    axum::serve(TcpListener::bind(address).await?, shop).await
}
