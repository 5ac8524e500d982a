//! The refusals of payloads that cannot be read as a pickle of data.

use crate::load::Refusal;

pub(super) fn broken(what: &str) -> Refusal {
    Refusal::malformed(format!(
        "the payload is not a pickle of data: {what}; compare the option serializer with that of its writer"
    ))
}

pub(super) fn refused(what: &str) -> Refusal {
    Refusal::unsupported(format!("the payload is a pickle of more than data: {what}"))
}
