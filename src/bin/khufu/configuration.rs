//! Where the command gets the application's options from.

use std::env::VarError;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use khufu::options::TABLE;
use khufu::{Error, Factory, Options};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The section of a Pyramid application's INI file, and the beginning of khufu's settings there.
const PYRAMID: (&str, &str) = ("app:main", "khufu.");

#[derive(Args)]
pub struct Configuration {
    /// An INI file with the options, such as a Pyramid application's production.ini.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The section with the options. By default, [app:main] with the prefix `khufu.` if the file has this section;
    /// otherwise the lines before the first section.
    #[arg(long, requires = "config")]
    section: Option<String>,
    /// The beginning of the names of khufu's settings, which is not part of an option's name.
    #[arg(long, requires = "config")]
    prefix: Option<String>,
    /// A file that contains the secret as text.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Set an option. Can be given many times. Secrets are refused here.
    #[arg(long = "option", short = 'o', value_name = "NAME=VALUE")]
    options: Vec<String>,
}

/// The options that were read, and the errors of those that are wrong.
pub struct Loaded {
    pub options: Options,
    pub errors: Vec<String>,
}

impl Configuration {
    /// Makes a factory with the options. A SQLite file that does not exist is created.
    pub fn factory(&self) -> Result<Factory, Failure> {
        self.factory_of(&self.options()?)
    }

    /// Makes a factory for a store that exists. The application creates its store itself: a file that another user
    /// created could lock it out.
    pub fn factory_of_existing_store(&self) -> Result<(Options, Factory), Failure> {
        let options = self.options()?;
        Factory::check(&options).map_err(|error| self.explained(error))?;
        store_exists(&options)?;
        let factory = self.factory_of(&options)?;
        Ok((options, factory))
    }

    fn factory_of(&self, options: &Options) -> Result<Factory, Failure> {
        Factory::new(options).map_err(|error| self.explained(error))
    }

    fn options(&self) -> Result<Options, Failure> {
        let Loaded { options, errors } = self.load()?;
        match errors.into_iter().next() {
            Some(error) => Err(Failure::Options(error)),
            None => Ok(options),
        }
    }

    /// Reads the options from the file, the environment and the arguments, in this order. The later ones win.
    pub fn load(&self) -> Result<Loaded, Failure> {
        let mut loaded = Loaded { options: Options::new(), errors: Vec::new() };
        if let Some(file) = &self.config {
            let text = read(file)?;
            let at = |error: Error| format!("{}: {error}", file.display());
            let (section, prefix) = self.part(&text);
            match loaded.options.load_each(&text, section, prefix) {
                Ok(results) => loaded.errors.extend(results.filter_map(Result::err).map(at)),
                Err(error) => return Err(Failure::Options(at(error))),
            }
        }
        if let Some(secret) = self.secret()? {
            loaded.set("secret", &secret);
        }
        for option in &self.options {
            match option.split_once('=') {
                Some((name, _)) if is_hidden(name) => {
                    return Err(Failure::Options(format!(
                        "the option {name} must not be an argument: use --config, --secret-file or KHUFU_SECRET"
                    )));
                }
                Some((name, value)) => loaded.set(name, value),
                None => return Err(Failure::Options("-o takes NAME=VALUE".to_owned())),
            }
        }
        Ok(loaded)
    }

    /// The name of the file with the options, for messages.
    pub fn name(&self) -> String {
        self.config.as_ref().map_or_else(|| "the options".to_owned(), |file| file.display().to_string())
    }

    fn explained(&self, error: Error) -> Failure {
        match error {
            Error::Option(problem) => Failure::Options(format!("{}: {problem}", self.name())),
            other => other.into(),
        }
    }

    /// The section and the prefix of the options in the INI file.
    fn part<'c>(&'c self, text: &str) -> (&'c str, &'c str) {
        let head = format!("[{}]", PYRAMID.0);
        let is_pyramid = self.section.is_none() && text.lines().any(|line| line.trim() == head);
        let (section, prefix) = if is_pyramid { PYRAMID } else { ("", "") };
        (self.section.as_deref().unwrap_or(section), self.prefix.as_deref().unwrap_or(prefix))
    }

    fn secret(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        if let Some(file) = &self.secret_file {
            return Ok(Some(Zeroizing::new(read(file)?.trim_end_matches(['\r', '\n']).to_owned())));
        }
        match std::env::var("KHUFU_SECRET") {
            Ok(secret) => Ok(Some(secret).filter(|secret| !secret.is_empty()).map(Zeroizing::new)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err(Failure::Options("KHUFU_SECRET is not UTF-8".to_owned())),
        }
    }
}

impl Loaded {
    fn set(&mut self, name: &str, value: &str) {
        if let Err(error) = self.options.set(name, value) {
            self.errors.push(error.to_string());
        }
    }
}

/// Checks that a SQLite file exists, because opening the store would create it.
pub fn store_exists(options: &Options) -> Result<(), Failure> {
    let is_stored = options.get("type")? == Some("store");
    match options.get("store")?.and_then(|store| store.strip_prefix("sqlite:")).filter(|_| is_stored) {
        Some(path) if !Path::new(path).exists() => {
            Err(Failure::Store(format!("the store has no file {path}: the application creates it when it starts")))
        }
        _ => Ok(()),
    }
}

/// The whole standard input, without white space at its ends.
pub fn standard_input() -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::Unreadable { what: "standard input".to_owned(), reason: error.to_string() })?;
    Ok(Zeroizing::new(text.trim().to_owned()))
}

fn read(file: &PathBuf) -> Result<Zeroizing<String>, Failure> {
    fs::read_to_string(file).map(Zeroizing::new).map_err(|error| Failure::unreadable(file, &error))
}

/// True if other users of the machine must not see the value of an option.
fn is_hidden(name: &str) -> bool {
    let option = name.rsplit('.').next().unwrap_or(name);
    TABLE.iter().any(|row| row.name == option && row.kind.is_hidden())
}
