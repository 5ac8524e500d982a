//! Tests that let several requests use a store at the same time, and try every order of their steps and every loss of
//! an answer.
//!
//! With `KHUFU_EVERY_INTERLEAVING=1`, every program is tried with every other, which takes a few minutes.
//! `KHUFU_ROUNDS` is the number of random schedules, and `KHUFU_SEED` is their seed. Each run prints its seed.

mod answers;
mod model;
mod races;
mod request;
pub(crate) mod schedule;
mod steps;
mod stores;
mod worlds;

use request::Act::*;
use request::{Kind, Opens, Program};
use schedule::Chooser;
use stores::TestStore;
use worlds::{Limits, Tally, World};

const fn session(kind: Kind, opens: Opens, acts: &'static [request::Act]) -> Program {
    Program::Session { kind, opens, acts }
}

const fn plain(acts: &'static [request::Act]) -> Program {
    session(Kind::Plain, Opens::Current, acts)
}

type Named = (&'static str, Program);

/// The programs of requests.
const PROGRAMS: &[Named] = &[
    ("read", plain(&[Commit])),
    ("read with max_age", session(Kind::MaxAge, Opens::Current, &[Commit])),
    ("read under a new secret", session(Kind::Rotated, Opens::Current, &[Commit])),
    ("set", plain(&[Set("k"), Commit])),
    ("set with max_age", session(Kind::MaxAge, Opens::Current, &[Set("k"), Commit])),
    ("set under a new secret", session(Kind::Rotated, Opens::Current, &[Set("k"), Commit])),
    ("flash", plain(&[Flash, Commit])),
    ("flash, commit, flash", plain(&[Flash, Flash, TryCommit, Flash, Commit])),
    ("pop flash", plain(&[PopFlash, Commit])),
    ("set a missing key", plain(&[SetDefault("new"), Commit])),
    ("clear", plain(&[Clear, Set("after"), Commit])),
    ("get a new id", plain(&[Regenerate, Commit])),
    ("log in", plain(&[Set("user"), Regenerate, Commit])),
    ("get two new ids", plain(&[Regenerate, Commit, Set("k"), Regenerate, Commit])),
    ("get a new id or else log out", plain(&[Regenerate, TryCommit, Invalidate, Commit])),
    ("log out", plain(&[Invalidate, Commit])),
    ("log out, begin again", plain(&[Flash, Invalidate, Set("k"), Subject("alice"), Commit])),
    ("change the subject", plain(&[Subject("bob"), Set("k"), Commit])),
    ("belong to nobody", plain(&[Subject(""), Commit])),
    ("begin", session(Kind::Plain, Opens::Nothing, &[Set("k"), Subject("alice"), Commit])),
    (
        "begin or else log out",
        session(Kind::Plain, Opens::Nothing, &[Set("k"), Subject("alice"), TryCommit, Invalidate, Commit]),
    ),
    ("end all sessions of alice", Program::RevokeAll(Kind::Plain)),
    ("end all sessions of alice under a new secret", Program::RevokeAll(Kind::Rotated)),
    ("end the session of alice", Program::Revoke),
    ("list the sessions of alice", Program::List(Kind::Plain)),
    ("list the sessions of alice under a new secret", Program::List(Kind::Rotated)),
];

/// The programs that differ most.
const FEW: &[&str] = &[
    "read with max_age",
    "flash, commit, flash",
    "log in",
    "log out",
    "log out, begin again",
    "change the subject",
    "begin",
    "end all sessions of alice",
    "list the sessions of alice under a new secret",
    "read under a new secret",
];

/// The programs of requests whose cookie has the previous id.
const OLD: &[Named] = &[
    ("read by the old id", session(Kind::MaxAge, Opens::Old, &[Commit])),
    ("set by the old id", session(Kind::Plain, Opens::Old, &[Set("k"), Commit])),
    ("log out by the old id", session(Kind::Plain, Opens::Old, &[Invalidate, Commit])),
];

/// More programs, which are tried only with a few others.
const OTHERS: &[Named] = &[
    (
        "log out, and end in an exception",
        session(Kind::ExceptionOff, Opens::Current, &[Flash, Invalidate, Set("k"), CommitAfterException]),
    ),
    ("make the flash queue a number", plain(&[Set("_f_"), Commit])),
];

/// The programs of requests that could not read their session.
const UNREAD: &[Named] = &[
    ("log out of an unread session", session(Kind::EmptyOnError, Opens::Current, &[Invalidate, Commit])),
    (
        "set in an unread session",
        session(Kind::EmptyOnError, Opens::Current, &[Set("k"), TryCommit, Invalidate, Commit]),
    ),
];

fn named(names: &[&str]) -> Vec<&'static Named> {
    let found =
        names.iter().map(|name| PROGRAMS.iter().find(|(known, _)| known == name).expect("a program has this name"));
    found.collect()
}

/// All programs if the environment asks for every schedule, and a few programs otherwise.
fn few() -> Vec<&'static Named> {
    if is_thorough() { all(PROGRAMS) } else { named(FEW) }
}

fn is_thorough() -> bool {
    std::env::var_os("KHUFU_EVERY_INTERLEAVING").is_some()
}

/// Tries every schedule of every pair of programs in a list.
fn try_pairs(store: &TestStore, limits: Limits, programs: &[&'static Named]) {
    let world = World::new(store, limits);
    let mut tally = Tally::default();
    for (index, first) in programs.iter().enumerate() {
        for second in &programs[index..] {
            world.try_all(&[first, second], &mut tally);
        }
    }
    tally.end(store.name);
}

/// Tries every schedule of every program in one list with every program in another.
fn try_each(store: &TestStore, limits: Limits, programs: &[&'static Named], others: &[&'static Named]) {
    let world = World::new(store, limits);
    let mut tally = Tally::default();
    for first in programs {
        for second in others {
            world.try_all(&[first, second], &mut tally);
        }
    }
    tally.end(store.name);
}

fn all(programs: &'static [Named]) -> Vec<&'static Named> {
    programs.iter().collect()
}

#[test]
fn two_requests_in_every_order() {
    try_pairs(&stores::memory(), Limits::default(), &all(PROGRAMS));
}

#[test]
fn two_requests_in_every_order_on_other_stores() {
    for store in stores::all() {
        try_pairs(&store, Limits::default(), &few());
    }
}

#[test]
fn two_requests_one_with_an_old_id_or_an_exception() {
    for store in stores::all() {
        try_each(&store, Limits::default(), &all(OLD), &few());
        try_each(&store, Limits::default(), &all(OTHERS), &few());
    }
}

#[test]
fn two_requests_without_a_grace_for_the_old_id() {
    let programs = named(&["read with max_age", "log in", "get two new ids", "log out"]);
    for store in stores::all() {
        try_pairs(&store, Limits { grace: 0, ..Limits::default() }, &programs);
        try_each(&store, Limits { grace: 0, ..Limits::default() }, &all(OLD), &programs);
    }
}

/// Limits for two requests. The first request may lose one answer.
const ONE_LOSS: Limits = Limits { losses: 1, losing: 1, grace: 20, requests: 2 };

#[test]
fn two_requests_and_a_lost_answer() {
    let others = if is_thorough() { all(PROGRAMS) } else { named(&["set", "log in", "log out"]) };
    try_each(&stores::memory(), ONE_LOSS, &few(), &others);
}

#[test]
fn two_requests_and_a_lost_answer_on_other_stores() {
    let others = named(&["flash", "log out", "end all sessions of alice"]);
    for store in stores::of_one_step() {
        try_each(&store, ONE_LOSS, &named(&["log in", "begin"]), &others);
    }
    try_each(&stores::callbacks(), ONE_LOSS, &named(&["log in"]), &named(&["log out"]));
}

#[test]
fn a_request_that_could_not_read_its_session_and_another() {
    for store in stores::of_one_step() {
        try_each(&store, ONE_LOSS, &all(UNREAD), &named(&["set", "log in", "log out"]));
    }
    try_each(&stores::callbacks(), ONE_LOSS, &all(UNREAD), &named(&["log out"]));
}

#[test]
fn three_requests_in_every_order() {
    let world = World::new(&stores::memory(), Limits { requests: 3, ..Limits::default() });
    let mut tally = Tally::default();
    let programs = named(&["read with max_age", "flash", "log in", "log out", "change the subject"]);
    for (index, first) in programs.iter().enumerate() {
        for (index, second) in programs.iter().enumerate().skip(index) {
            for third in &programs[index..] {
                world.try_all(&[first, second, third], &mut tally);
            }
        }
    }
    tally.end("memory");
}

#[test]
fn four_requests_at_random() {
    let number =
        |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("the variable is a number"));
    let now = || std::time::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos() as u64);
    let mut seed = number("KHUFU_SEED").unwrap_or_else(now);
    println!("KHUFU_SEED={seed}");
    let rounds = number("KHUFU_ROUNDS").unwrap_or(300);
    let programs: Vec<_> = PROGRAMS.iter().chain(OLD).chain(OTHERS).chain(UNREAD).collect();
    for store in [stores::memory(), stores::callbacks()] {
        let world = World::new(&store, Limits { losses: 3, requests: 4, ..Limits::default() });
        let mut tally = Tally::default();
        for _ in 0..rounds {
            let chosen: Vec<_> =
                (0..4).map(|_| programs[schedule::random(&mut seed) as usize % programs.len()]).collect();
            tally.schedules += 1;
            let played = world.attempt(&chosen, Chooser::random(schedule::random(&mut seed)));
            tally.faults.extend(played.err());
        }
        tally.end(store.name);
    }
}
