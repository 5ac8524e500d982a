//! The Rust peer of the live exchange; `tests/interop/README.md` has the protocol.

use std::io::{BufRead, Write};

use khufu::{Error, Factory, Options, Session};

fn main() {
    let mut factory = None;
    let mut stdout = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("requests are lines of text");
        let mut words = line.split(' ');
        let verb = words.next().unwrap_or_default();
        let arguments: Vec<String> = words.map(word).collect();
        let answer = answer(verb, &arguments, &mut factory).unwrap_or_else(|error| {
            let status = khufu::ffi::khufu_status::from(&error) as i32;
            vec!["error".to_owned(), hexed(&status.to_string()), hexed(&error.to_string())]
        });
        writeln!(stdout, "{}", answer.join(" ")).and_then(|()| stdout.flush()).expect("the driver reads the answers");
    }
}

fn answer(verb: &str, arguments: &[String], factory: &mut Option<Factory>) -> Result<Vec<String>, Error> {
    let mut answer = vec!["ok".to_owned()];
    if verb == "factory" {
        let mut options = Options::new();
        for pair in arguments.chunks(2) {
            options.set(&pair[0], &pair[1])?;
        }
        *factory = Some(Factory::new(&options)?);
        return Ok(answer);
    }
    let factory = factory.as_ref().expect("a factory comes first");
    let now = arguments[0].parse().expect("the first argument is a time");
    let mut session = factory.open_at(arguments[1].as_bytes(), now)?;
    match verb {
        "read" => read(&mut session, &mut answer),
        "write" => {
            for pair in arguments[2..].chunks(2) {
                session.set(&pair[0], &pair[1])?;
            }
            answer.extend(session.commit(false)?.iter().map(|cookie| hexed(cookie)));
        }
        other => panic!("the protocol has no request {other}"),
    }
    Ok(answer)
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
