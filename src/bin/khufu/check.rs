//! `khufu check`: explains each problem of a configuration.

use khufu::options::{Kind, TABLE};
use khufu::{Error, Factory, Options};
use zeroize::Zeroizing;

use crate::configuration::{Configuration, Loaded, store_exists};
use crate::failure::Failure;
use crate::print;
use crate::visible::visible;

/// A secret of fewer bytes can be guessed.
const LEAST_SECRET: usize = 32;
/// A random secret of 32 bytes or hexadecimal digits has more different characters than this.
const LEAST_CHARACTERS: usize = 8;
/// Browsers keep a cookie for at most 400 days.
const LONGEST_AGE: u64 = 400 * 86_400;
/// A subject that no session has.
const NOBODY: &str = "khufu check: a subject that no session has";

pub fn run(configuration: &Configuration, offline: bool) -> Result<(), Failure> {
    let Loaded { options, mut errors } = configuration.load()?;
    let mut warnings = warnings(&options);
    let mut store_failure = None;
    match Factory::check(&options) {
        // An option that was refused above may be the one that is missing now.
        Err(error) if errors.is_empty() => errors.push(error.to_string()),
        Ok(()) if !offline => match look_at_store(&options) {
            Ok(warning) => warnings.extend(warning),
            Err(failure) => store_failure = Some(failure),
        },
        _ => {}
    }
    let lines = errors.iter().map(|error| format!("error: {error}"));
    let lines = lines.chain(warnings.iter().map(|warning| format!("warning: {warning}")));
    let mut lines: Vec<_> = lines.map(|line| visible(&line)).collect();
    lines.push(format!("{}: {} errors, {} warnings", configuration.name(), errors.len(), warnings.len()));
    print(&lines.join("\n"))?;
    match store_failure {
        _ if !errors.is_empty() => Err(Failure::Errors),
        Some(failure) => Err(failure),
        None if !warnings.is_empty() => Err(Failure::Warnings),
        None => Ok(()),
    }
}

/// Connects to the store. Returns a warning if it may lose the lists of subjects' sessions. Other libraries' records
/// have no subjects, and are not looked at.
fn look_at_store(options: &Options) -> Result<Option<String>, Failure> {
    store_exists(options)?;
    let factory = Factory::new(options)?;
    let subject = match factory.subject(NOBODY) {
        Ok(subject) => subject,
        Err(Error::NoStore) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    subject.sessions()?;
    Ok(subject.revoke_all(None).err().map(|_| {
        "the Redis server may evict sessions and the lists of subjects' sessions, so that a logout everywhere could \
         miss some: set its maxmemory-policy to noeviction (docs/stores.md)"
            .to_owned()
    }))
}

fn warnings(options: &Options) -> Vec<String> {
    let mut warnings: Vec<_> = secrets(options).filter_map(|(name, secret)| weakness(&name, &secret)).collect();
    let value = |name: &str| options.get(name).ok().flatten();
    let is_on = |name: &str| value(name) == Some("true");
    if value("type") == Some("store") && value("store").is_some_and(|store| store.starts_with("memory:")) {
        warnings.push(
            "the store memory: is the memory of one process. Other processes do not share its sessions, and they end \
             when the process does. Use sqlite: or redis: for a server with several processes."
                .to_owned(),
        );
    }
    if !is_on("secure") {
        warnings.push("secure is not on: the browser also sends the cookie over plain http".to_owned());
    }
    if !is_on("httponly") {
        warnings.push("httponly is not on: scripts in the page can read the cookie".to_owned());
    }
    if value("max_age").and_then(|age| age.parse().ok()).is_some_and(|age: u64| age > LONGEST_AGE) {
        warnings.push(format!("max_age is more than 400 days: browsers keep the cookie for {LONGEST_AGE} seconds"));
    }
    warnings
}

/// The name and the bytes of each secret.
fn secrets(options: &Options) -> impl Iterator<Item = (String, Zeroizing<Vec<u8>>)> {
    let accepted = options.formats().map(|format| format!("accept.{format}."));
    let prefixes: Vec<_> = std::iter::once(String::new()).chain(accepted).collect();
    let rows = TABLE.iter().filter(|row| row.kind.is_secret());
    prefixes.into_iter().flat_map(move |prefix| {
        rows.clone().flat_map(move |row| {
            let name = format!("{prefix}{}", row.name);
            let secrets = options.values(&name).into_iter().map(|secret| match row.kind {
                Kind::SecretHex => hex::decode(secret).unwrap_or_default(),
                _ => secret.as_bytes().to_vec(),
            });
            secrets.map(|secret| (name.clone(), Zeroizing::new(secret))).collect::<Vec<_>>()
        })
    })
}

/// The warning for a secret that can be guessed. It does not contain the secret.
fn weakness(name: &str, secret: &[u8]) -> Option<String> {
    let mut characters = secret.to_vec();
    characters.sort_unstable();
    characters.dedup();
    let problem = if secret.len() < LEAST_SECRET {
        format!("has {} bytes, and at least {LEAST_SECRET} random bytes are needed", secret.len())
    } else if characters.len() < LEAST_CHARACTERS {
        format!("has only {} different bytes", characters.len())
    } else {
        return None;
    };
    Some(format!("the option {name} {problem}: who guesses it can forge sessions. Use `khufu secret`."))
}
