//! The arguments of the command line.

use clap::{Args, Parser, Subcommand};

use crate::configuration::Configuration;

const STATUSES: &str = "\
Exit statuses:
  0  success
  1  output could not be written, or the system failed
  2  the arguments are wrong
  3  a file or standard input cannot be read
  4  an option, or the JSON of seal, is wrong
  5  the cookie was sealed with another secret
  6  the cookie is refused for another reason, such as its age
  7  the store failed
  8  the subject has no such session
  9  check found warnings, but no error";

/// Sessions of the Pyramid web framework: secrets, cookies, configuration, and the sessions in a store.
///
/// Most commands need the application's options. They read them from an INI file (--config). The secret may also come
/// from a file (--secret-file) or from the environment variable KHUFU_SECRET, but never from an argument, because other
/// users of the machine can see the arguments of a program.
#[derive(Parser)]
#[command(version, after_help = STATUSES, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Print a new random secret.
    ///
    /// The secret has 128 hexadecimal digits and is for signing cookies, or for the ids of sessions in a store. It is a
    /// value of the option secret.
    Secret {
        /// Make a secret of 64 hexadecimal digits for the type encrypted_cookie.
        #[arg(long)]
        encryption: bool,
    },
    /// Explain a cookie that comes from standard input: how it is opened, its times, its keys and their sizes.
    ///
    /// Standard input has the value of the session's cookie, or a whole Cookie or Set-Cookie header. Values are printed
    /// only with --contents. Nothing is written to a store.
    ///
    /// Example: pbpaste | khufu inspect --config production.ini
    Inspect {
        #[command(flatten)]
        configuration: Configuration,
        #[command(flatten)]
        output: InspectOutput,
    },
    /// Make a cookie for a test, from a JSON object in standard input.
    ///
    /// The command prints NAME=VALUE, which is the value of a Cookie header. A session for a store is saved there.
    ///
    /// Example: curl --cookie "$(echo '{"user": "zoe"}' | khufu seal --config test.ini)" http://localhost:6543/
    Seal {
        #[command(flatten)]
        configuration: Configuration,
        /// The subject of a session in a store.
        #[arg(long)]
        subject: Option<String>,
    },
    /// Explain each problem of a configuration: wrong options, weak secrets, cookies that browsers drop, and stores
    /// that lose sessions.
    Check {
        #[command(flatten)]
        configuration: Configuration,
        /// Do not connect to the store.
        #[arg(long)]
        offline: bool,
    },
    /// List and end the sessions of a subject, such as a user, in a store.
    Sessions {
        #[command(subcommand)]
        command: SessionsCommand,
    },
}

#[derive(Args)]
pub struct InspectOutput {
    /// Also print the session as JSON.
    #[arg(long)]
    pub contents: bool,
    /// Print the explanation as a JSON object.
    #[arg(long)]
    pub json: bool,
}

#[derive(Subcommand)]
pub enum SessionsCommand {
    /// List the sessions of a subject. The one that was used last comes first.
    List {
        #[command(flatten)]
        configuration: Configuration,
        /// The name that the application gave as the subject, such as user-42.
        subject: String,
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Show one session of a subject.
    Show {
        #[command(flatten)]
        configuration: Configuration,
        /// The name that the application gave as the subject, such as user-42.
        subject: String,
        /// The session's id from `khufu sessions list`.
        id: String,
    },
    /// End sessions of a subject.
    #[command(group = clap::ArgGroup::new("which").required(true).args(["ids", "all"]))]
    Revoke {
        #[command(flatten)]
        configuration: Configuration,
        /// The name that the application gave as the subject, such as user-42.
        subject: String,
        /// Ids of the sessions to end, from `khufu sessions list`.
        ids: Vec<String>,
        /// End all sessions of the subject.
        #[arg(long)]
        all: bool,
        /// The id of a session that --all does not end.
        #[arg(long, value_name = "ID", requires = "all")]
        except: Option<String>,
    },
}
