//! The cookie itself: the request's `Cookie` header, the attributes that browsers accept, and the response's `Set-Cookie`
//! values.

mod attributes;
mod header;
mod set_cookie;

pub use set_cookie::SetCookie;

pub(crate) use attributes::Attributes;
pub(crate) use header::{candidates, has_any};
pub(crate) use set_cookie::{SetCookies, Template};
