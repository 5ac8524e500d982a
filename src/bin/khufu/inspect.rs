//! `khufu inspect`: explains a cookie.

use khufu::{LoadResult, OpenOptions, Options, Session};
use serde_json::{Value, json};

use crate::arguments::InspectOutput;
use crate::configuration::{Configuration, standard_input};
use crate::failure::Failure;
use crate::visible::visible;
use crate::{print, times};

pub fn run(configuration: &Configuration, output: &InspectOutput) -> Result<(), Failure> {
    let (options, factory) = configuration.factory_of_existing_store()?;
    let input = standard_input()?;
    let cookie = without_header_name(&input);
    let how = OpenOptions::new().passive();
    let mut session = match is_header(cookie) {
        true => factory.open_with(cookie.as_bytes(), &how)?,
        false => factory.open_value(cookie.as_bytes(), &how)?,
    };
    print(&match output.json {
        true => visible(&as_json(&mut session, &options, output.contents).to_string()),
        false => as_text(&mut session, &options, output.contents),
    })?;
    let reason = session.refusal().unwrap_or("standard input has no cookie").to_owned();
    match session.load_result() {
        LoadResult::Loaded | LoadResult::LoadedPreviousSecret | LoadResult::LoadedOtherFormat => Ok(()),
        LoadResult::BadSignature => Err(Failure::OtherSecret(reason)),
        LoadResult::StoreError => Err(Failure::Store(reason)),
        result => Err(Failure::Refused { result, reason }),
    }
}

/// The value of a `Cookie` or `Set-Cookie` header whose name was copied with it.
fn without_header_name(text: &str) -> &str {
    match text.split_once(':') {
        Some((name, value)) if ["cookie", "set-cookie"].contains(&name.trim().to_ascii_lowercase().as_str()) => {
            value.trim()
        }
        _ => text,
    }
}

/// True if a text is the value of a `Cookie` header. A cookie's value has no `=`, except for the padding at its end.
fn is_header(text: &str) -> bool {
    text.is_empty() || text.trim_end_matches('=').contains('=')
}

/// The format that opened the session: the name of an accepted format, or the types of the current one.
fn format(session: &Session, options: &Options) -> String {
    match session.load_format() {
        Some(accepted) => format!("accept.{accepted}"),
        None => ["library", "type", "serializer"]
            .map(|option| options.get(option).ok().flatten().unwrap_or_default())
            .join(", "),
    }
}

fn is_open(session: &Session) -> bool {
    !session.is_new()
}

fn sizes(session: &mut Session) -> Vec<(String, usize)> {
    session.iter().map(|(key, json)| (key.to_owned(), json.len())).collect()
}

fn as_text(session: &mut Session, options: &Options, contents: bool) -> String {
    let mut lines = vec![format!("load result  {}", session.load_result())];
    let mut line = |name: &str, value: &str| lines.push(format!("{name:<12} {}", visible(value)));
    if let Some(reason) = session.refusal() {
        line("reason", reason);
    }
    if is_open(session) {
        line("format", &format(session, options));
        line("created", &times::described(session.created()));
        line("accessed", &times::described(session.accessed()));
        line("renewed", &times::described(session.renewed()));
        if let Some(id) = session.id().map(str::to_owned) {
            line("id", &id);
        }
        if let Some(subject) = session.subject() {
            line("subject", subject);
        }
        let sizes = sizes(session);
        line("keys", &sizes.len().to_string());
        for (key, bytes) in sizes {
            line("", &format!("{bytes:>7} bytes  {key}"));
        }
        if contents {
            line("contents", session.to_json());
        }
    }
    lines.join("\n")
}

fn as_json(session: &mut Session, options: &Options, contents: bool) -> Value {
    let mut report = json!({ "load_result": session.load_result().name(), "reason": session.refusal() });
    if is_open(session) {
        report["format"] = format(session, options).into();
        report["created"] = session.created().into();
        report["accessed"] = session.accessed().into();
        report["renewed"] = session.renewed().into();
        report["id"] = session.id().into();
        report["subject"] = session.subject().into();
        report["keys"] = sizes(session).into_iter().map(|(key, bytes)| json!({ "key": key, "bytes": bytes })).collect();
        if contents {
            // The session's text is JSON, but its numbers may be larger than this type's. They are then given as text.
            let text = session.to_json();
            report["contents"] = serde_json::from_str(text).unwrap_or_else(|_| text.into());
        }
    }
    report
}
