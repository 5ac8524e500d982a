//! The command `khufu`: makes secrets, looks into cookies, makes cookies for tests, checks configuration, and lists and
//! ends the sessions of a user. It uses only the public interface of the crate.

mod arguments;
mod check;
mod configuration;
mod failure;
mod inspect;
mod seal;
mod sessions;
mod times;
mod visible;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
use crate::visible::visible;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("khufu: {}", visible(&failure.to_string()));
            ExitCode::from(failure.status())
        }
    }
}

fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Secret { encryption } => print(&secret(*encryption)?),
        Command::Inspect { configuration, output } => inspect::run(configuration, output),
        Command::Seal { configuration, subject } => seal::run(configuration, subject.as_deref()),
        Command::Check { configuration, offline } => check::run(configuration, *offline),
        Command::Sessions { command } => sessions::run(command),
    }
}

fn secret(encryption: bool) -> Result<String, Failure> {
    let secret = if encryption { khufu::generate_encryption_secret() } else { khufu::generate_secret() };
    Ok(secret?.to_string())
}

/// Prints lines. The caller makes each of them [`visible`]. A reader that closed the pipe early, such as `head`, is a failure without a panic.
fn print(text: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{text}").map_err(|error| Failure::Output(error.to_string()))
}
