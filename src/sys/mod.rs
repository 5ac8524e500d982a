//! Memory that is wiped, values that each process makes anew, forks, and locks.

pub(crate) mod fork;
mod lock;
pub(crate) mod per_process;
pub(crate) mod wiped;

pub(crate) use lock::lock;
