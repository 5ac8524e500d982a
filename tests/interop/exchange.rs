//! The Rust peer of the live exchange. `tests/interop/README.md` describes the protocol.

use std::io::{BufRead, Write};

use khufu::{Error, Factory, OpenOptions, Options, Outcome, Session};

/// The factory that was made last, and the session that was opened last. The requests use them.
#[derive(Default)]
struct Current {
    factory: Option<Factory>,
    session: Option<Session>,
}

fn main() {
    let mut current = Current::default();
    let mut stdout = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("requests are lines of text");
        let mut words = line.split(' ');
        let verb = words.next().unwrap_or_default();
        let arguments: Vec<String> = words.map(word).collect();
        let answer = current.answer(verb, &arguments).unwrap_or_else(|error| {
            let status = khufu::ffi::khufu_status::from(&error) as i32;
            vec!["error".to_owned(), hexed(&status.to_string()), hexed(&error.to_string())]
        });
        writeln!(stdout, "{}", answer.join(" ")).and_then(|()| stdout.flush()).expect("the driver reads the answers");
    }
}

impl Current {
    fn answer(&mut self, verb: &str, arguments: &[String]) -> Result<Vec<String>, Error> {
        let mut answer = vec!["ok".to_owned()];
        match (verb, arguments) {
            ("factory", pairs) => {
                let mut options = Options::new();
                for pair in pairs.chunks(2) {
                    options.set(&pair[0], &pair[1])?;
                }
                self.factory = Some(Factory::new(&options)?);
            }
            ("read", [now, header]) => read(&mut self.open(now, header)?, &mut answer),
            ("write", [now, header, pairs @ ..]) => {
                let mut session = self.open(now, header)?;
                for pair in pairs.chunks(2) {
                    session.set_json(&pair[0], &pair[1])?;
                }
                answer.extend(session.commit(Outcome::Response)?.iter().map(|cookie| hexed(cookie)));
            }
            ("open", [now, header]) => {
                let session = self.open(now, header)?;
                answer.push(hexed(session.load_result().name()));
                self.session = Some(session);
            }
            _ => use_session(self.session.as_mut().expect("a session was opened"), verb, arguments, &mut answer)?,
        }
        Ok(answer)
    }

    fn open(&self, now: &str, header: &str) -> Result<Session, Error> {
        let factory = self.factory.as_ref().expect("a factory was made");
        factory
            .open_with(header.as_bytes(), &OpenOptions::new().now(now.parse().expect("the first argument is a time")))
    }
}

fn use_session(session: &mut Session, verb: &str, arguments: &[String], answer: &mut Vec<String>) -> Result<(), Error> {
    match (verb, arguments) {
        ("get", [key]) => answer.push(hexed(session.get_json(key)?.expect("the key exists"))),
        ("set", [key, json]) => session.set_json(key, json)?,
        ("delete", [key]) => assert!(session.delete(key)),
        ("flash", [message, queue]) => session.queue(queue).push_str(message)?,
        ("pop_flash", [queue]) => answer.push(hexed(session.queue(queue).pop_json()?)),
        ("csrf_token", []) => answer.push(hexed(session.csrf_token()?)),
        ("invalidate", []) => session.invalidate(),
        ("regenerate_id", []) => session.regenerate_id(),
        ("commit", []) => answer.extend(session.commit(Outcome::Response)?.iter().map(|cookie| hexed(cookie))),
        _ => panic!("the protocol has no request {verb} of {} words", arguments.len()),
    }
    Ok(())
}

fn read(session: &mut Session, answer: &mut Vec<String>) {
    answer.push(hexed(session.load_result().name()));
    answer.extend([session.renewed(), session.created()].map(|time| hexed(&format!("{time:?}"))));
    answer.push(hexed(session.to_json()));
    let mut index = 0;
    while let Some((key, json)) = session.at(index) {
        answer.extend([hexed(key), hexed(json)]);
        index += 1;
    }
}

fn word(hex: &str) -> String {
    let bytes = if hex == "-" { Vec::new() } else { hex::decode(hex).expect("words are hex") };
    String::from_utf8(bytes).expect("words are UTF-8")
}

fn hexed(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { hex::encode(text) }
}
