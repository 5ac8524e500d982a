//! Sessions in a store: the layout of their records, and how a request's changes are saved.

mod attempt;
pub(crate) mod changes;
mod header;
pub(crate) mod id;
#[cfg(test)]
pub(crate) mod interleavings;
pub(crate) mod khufu;
pub(crate) mod layout;
#[cfg(test)]
mod lost_answers;
mod planned;
mod records;
mod save_id;
mod snapshot;
mod stored;
mod turns;

pub(crate) use attempt::Attempt;
pub(crate) use records::{NotLoaded, Records, Settings};
pub(crate) use stored::Stored;
