//! The cost of n changes in one request grows in proportion to n. The cost is measured in allocated bytes, because work
//! that grows faster also allocates more.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::*;
use khufu::{Factory, OpenOptions, Outcome, Session};

thread_local! {
    /// The bytes that the thread has allocated in total, that are allocated now, and that were allocated at most.
    static TOTAL: Cell<usize> = const { Cell::new(0) };
    static CURRENT: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, with a count of each thread's allocated bytes.
struct Counting;

// SAFETY: every call is passed to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TOTAL.set(TOTAL.get() + layout.size());
        CURRENT.set(CURRENT.get() + layout.size() as isize);
        PEAK.set(PEAK.get().max(CURRENT.get()));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        CURRENT.set(CURRENT.get() - layout.size() as isize);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The bytes that a piece of work allocates in total, and the most that it holds at the same time.
fn cost(work: impl FnOnce()) -> [usize; 2] {
    let (total, current) = (TOTAL.get(), CURRENT.get());
    PEAK.set(current);
    work();
    [TOTAL.get() - total, (PEAK.get() - current) as usize]
}

/// A change that a request makes `n` times, and its name.
type Changes = (&'static str, fn(&mut Session, usize));

const CHANGES: [Changes; 15] = [
    ("flash", |session, n| (0..n).for_each(|i| session.queue("").push_str(&message(i)).unwrap())),
    ("flash of distinct messages", |session, n| {
        (0..n).for_each(|i| session.queue("").allow_duplicate(false).push_json(&format!("{{\"id\":{i}}}")).unwrap());
    }),
    ("flash of duplicates", |session, n| {
        (0..200).for_each(|i| session.queue("").allow_duplicate(false).push_str(&message(i)).unwrap());
        (0..n).for_each(|i| session.queue("").allow_duplicate(false).push_str(&message(i % 200)).unwrap());
    }),
    ("flash with and without duplicates", |session, n| {
        (0..n).for_each(|i| session.queue("").allow_duplicate(i % 2 == 0).push_json(&i.to_string()).unwrap());
    }),
    ("flash between other changes", |session, n| {
        for i in 0..n {
            session.queue("").allow_duplicate(i % 3 > 0).push_str(&message(i)).unwrap();
            session.set_i64("progress", i as i64).unwrap();
        }
    }),
    ("flash to many queues", |session, n| {
        (0..n).for_each(|i| session.queue(&format!("queue {}", i / 2)).push_str("saved").unwrap());
    }),
    ("flash and pop_flash", |session, n| {
        for i in 0..n {
            session.queue("").push_str(&message(i)).unwrap();
            assert_eq!(json(session.queue("").pop_json().unwrap())[0], message(i));
        }
    }),
    ("flash of equal messages", |session, n| {
        for _ in 0..n {
            session.queue("").push_json("[1]").unwrap();
            session.queue("other").push_json("[1]").unwrap();
        }
    }),
    ("one key", |session, n| (0..n).for_each(|i| session.set_str("key", &message(i)).unwrap())),
    ("one key, and to_json", |session, n| {
        for i in 0..n {
            session.set_i64("key", i as i64).unwrap();
            assert!(session.to_json().contains(&i.to_string()));
        }
    }),
    ("one key, and a text with escapes", |session, n| {
        session.set_str("text", &"\"".repeat(100)).unwrap();
        for i in 0..n {
            session.set_i64("key", i as i64).unwrap();
            assert_eq!(session.get_str("text").unwrap().map(str::len), Some(100));
        }
    }),
    ("setdefault and pop", |session, n| {
        for i in 0..n {
            let value = format!("\"{}\"", message(i));
            assert_eq!(session.setdefault_json("key", &value).unwrap(), value);
            assert_eq!(session.pop_json("key").unwrap(), Some(&*value));
        }
    }),
    ("a new token", |session, n| {
        for _ in 0..n {
            let token = session.new_csrf_token().unwrap().to_owned();
            assert_eq!(session.csrf_token().unwrap(), token);
        }
    }),
    ("many keys", |session, n| {
        (0..n).for_each(|i| session.set_i64(&format!("key {i}"), i as i64).unwrap());
        (0..n).for_each(|i| assert!(session.delete(&format!("key {i}"))));
    }),
    ("update", |session, n| {
        let members: Vec<String> = (0..n).map(|i| format!("\"key {i}\":{i}")).collect();
        session.update_json(&format!("{{{}}}", members.join(","))).unwrap();
    }),
];

fn message(number: usize) -> String {
    format!("message {number:08}")
}

fn in_memory() -> Factory {
    factory(&[("type", "store"), ("reissue_time", ""), ("store_timeout", "60")])
}

/// Begins a session, and opens it in the next request.
fn opened(factory: &Factory) -> Session {
    let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
    session.set_json("a", "1").unwrap();
    let cookie = commit(&mut session).unwrap();
    open(factory, value_of(&cookie))
}

/// Compares the costs of 1,000 and of 8,000 changes. The second may be at most 16 times the first. If the cost grew
/// with the square, it would be 64 times the first.
fn grows_in_proportion(name: &str, mut cost_of: impl FnMut(usize) -> [usize; 2]) {
    let (few, many) = (cost_of(1_000), cost_of(8_000));
    for (few, many, what) in [(few[0], many[0], "in total"), (few[1], many[1], "at the same time")] {
        assert!(many <= 16 * few + 100_000, "{name}: {few} and {many} bytes {what}");
    }
}

#[test]
fn the_cost_of_changes_grows_in_proportion() {
    for (name, change) in CHANGES {
        for factory in [factory(&[("reissue_time", "")]), in_memory()] {
            grows_in_proportion(name, |n| {
                let mut session = opened(&factory);
                cost(|| change(&mut session, n))
            });
        }
    }
}

/// The cookie of a session in a store with `n` messages in its default queue.
fn with_messages(factory: &Factory, n: usize) -> String {
    let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
    session.set_json("a", "1").unwrap();
    (0..n).for_each(|i| session.queue("").push_str(&message(i)).unwrap());
    value_of(&commit(&mut session).unwrap()).to_owned()
}

#[test]
fn the_cost_of_replayed_changes_grows_in_proportion() {
    for (name, change) in CHANGES {
        grows_in_proportion(name, |n| {
            let factory = in_memory();
            let cookie = with_messages(&factory, 3);
            let [mut first, mut second] = [(); 2].map(|()| open(&factory, &cookie));
            first.set_json("b", "2").unwrap();
            first.commit(Outcome::Response).unwrap();
            change(&mut second, n);
            let cost = cost(|| _ = second.commit(Outcome::Response).unwrap());
            assert_eq!(second.get_json("b").unwrap(), Some("2"), "the sessions were merged");
            cost
        });
    }
}

#[test]
fn the_cost_of_replayed_pop_flash_grows_in_proportion() {
    grows_in_proportion("pop_flash", |n| {
        let factory = in_memory();
        let cookie = with_messages(&factory, n);
        let [mut first, mut second] = [(); 2].map(|()| open(&factory, &cookie));
        (0..n).for_each(|i| first.queue("").push_str(&message(2 * n - i)).unwrap());
        first.commit(Outcome::Response).unwrap();
        second.queue("").pop_json().unwrap();
        let cost = cost(|| _ = second.commit(Outcome::Response).unwrap());
        let left = json(second.queue("").peek_json().unwrap());
        assert_eq!((left.as_array().unwrap().len(), &left[0]), (n, &message(2 * n).into()));
        cost
    });
}

#[test]
fn messages_and_keys_need_a_few_times_the_memory_of_their_text() {
    let text: usize = (0..8_000).map(|i| message(i).len() + "\"\",".len()).sum();
    let [_, most] = cost(|| {
        let mut session = fresh();
        (0..8_000).for_each(|i| session.queue("").push_str(&message(i)).unwrap());
    });
    assert!(most < 5 * text, "{most} bytes for {text} of messages");
    let [_, most] = cost(|| {
        let mut session = fresh();
        (0..100_000).for_each(|i| session.set_str("key", &message(i)).unwrap());
    });
    assert!(most < 20_000, "{most} bytes for one key");
}

#[test]
fn replaced_text_is_freed() {
    let mut session = fresh();
    let [_, most] = cost(|| {
        for i in 0..1_000 {
            session.set_str("text", &"x".repeat(10_000)).unwrap();
            session.set_str(&format!("key {}", i % 10), &message(i)).unwrap();
        }
    });
    assert!(most < 50_000, "{most} bytes for 10,000");
    assert!(session.contains("text") && session.len() == 11);
}
