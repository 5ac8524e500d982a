//! Cookies: the request's `Cookie` header, the seals and the format of a value, and the response's `Set-Cookie` values.

mod attributes;
pub(crate) mod format;
mod header;
pub(crate) mod seal;
mod set_cookie;

pub use set_cookie::SetCookie;

pub(crate) use attributes::Attributes;
pub(crate) use header::{candidates, has_any};
pub(crate) use set_cookie::{SetCookies, Template};
