//! What many keys and messages in one session cost: nanoseconds for each call, and bytes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use khufu::{Factory, Options, Session};

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, which counts.
struct Counting;

// SAFETY: it does what the system's allocator does.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(HELD.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SIZES: [usize; 4] = [5, 50, 5_000, 50_000];
const ROUNDS: usize = 7;

fn key(number: usize) -> String {
    format!("key_{number}")
}

fn filled(factory: &Factory, keys: &[String]) -> Session {
    let mut session = factory.open(b"").unwrap();
    keys.iter().for_each(|key| session.set(key, "1").unwrap());
    session
}

/// The least time that one of `calls` calls takes, in nanoseconds, and the most bytes that are held.
fn measured(factory: &Factory, keys: &[String], calls: usize, work: impl Fn(&mut Session)) -> (f64, usize) {
    let mut least = f64::INFINITY;
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        let mut session = filled(factory, keys);
        let held = HELD.load(Relaxed);
        MOST.store(held, Relaxed);
        let start = Instant::now();
        work(&mut session);
        least = least.min(start.elapsed().as_nanos() as f64 / calls as f64);
        bytes = MOST.load(Relaxed) - held;
    }
    (least, bytes)
}

fn main() {
    let mut options = Options::new();
    options.set("secret", "itsaseekreet").unwrap();
    let factory = Factory::new(&options).unwrap();
    println!("keys       ns per get    ns per set of a new one    ns per delete");
    for size in SIZES {
        let keys: Vec<String> = (0..size).map(key).collect();
        let rounds = 50_000 / size;
        let (get, _) = measured(&factory, &keys, rounds * size, |session| {
            for key in (0..rounds).flat_map(|_| &keys) {
                black_box(session.get(key).unwrap());
            }
        });
        let (set, _) =
            measured(&factory, &[], size, |session| keys.iter().for_each(|key| session.set(key, "1").unwrap()));
        let (delete, _) =
            measured(&factory, &keys, size, |session| keys.iter().for_each(|key| assert!(session.delete(key))));
        println!("{size:<6} {get:>14.0} {set:>26.0} {delete:>16.0}");
    }
    println!("\nmessages   allow_duplicate    ns per flash    bytes");
    for (size, allow_duplicate) in [(10, true), (10, false), (10_000, true), (10_000, false)] {
        let messages: Vec<String> = (0..size).map(|number| format!("You have message {number}")).collect();
        let (flash, bytes) = measured(&factory, &[], size, |session| {
            messages.iter().for_each(|message| session.flash_string(message, "", allow_duplicate).unwrap());
        });
        println!("{size:<6} {allow_duplicate:>19} {flash:>15.0} {bytes:>8}");
    }
}
