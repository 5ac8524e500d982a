//! `khufu seal`: makes a cookie.

use khufu::Outcome;

use crate::configuration::{Configuration, standard_input};
use crate::failure::Failure;
use crate::print;

pub fn run(configuration: &Configuration, subject: Option<&str>) -> Result<(), Failure> {
    let factory = configuration.factory()?;
    let mut session = factory.open(b"")?;
    session.update_json(&standard_input()?)?;
    if let Some(subject) = subject {
        session.set_subject(subject)?;
    }
    session.mark_changed();
    let cookies = session.commit(Outcome::Response)?;
    let cookie = cookies.first().ok_or_else(|| Failure::System("the session made no cookie".to_owned()))?;
    let pair = cookie.split(';').next().unwrap_or_default();
    print(pair)
}
