//! Measures the cost of many keys and flash messages in one session: nanoseconds per call, and bytes of memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use khufu::{Factory, Options, Session};

/// The number of bytes that are allocated now, and the highest number so far.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, with a count of the allocated bytes.
struct Counting;

// SAFETY: every call is passed to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(ALLOCATED.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
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
    keys.iter().for_each(|key| session.set_json(key, "1").unwrap());
    session
}

/// The shortest time per call of `work`, which makes `calls` calls, in nanoseconds, and the most bytes that it holds.
fn measured(factory: &Factory, keys: &[String], calls: usize, work: impl Fn(&mut Session)) -> (f64, usize) {
    let mut shortest = f64::INFINITY;
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        let mut session = filled(factory, keys);
        let before = ALLOCATED.load(Relaxed);
        PEAK.store(before, Relaxed);
        let start = Instant::now();
        work(&mut session);
        shortest = shortest.min(start.elapsed().as_nanos() as f64 / calls as f64);
        bytes = PEAK.load(Relaxed) - before;
    }
    (shortest, bytes)
}

fn main() {
    let mut options = Options::new();
    options.set("secret", "itsaseekreet").unwrap();
    let factory = Factory::new(&options).unwrap();
    println!("keys       ns per get    ns per set of a new key    ns per delete");
    for size in SIZES {
        let keys: Vec<String> = (0..size).map(key).collect();
        let rounds = 50_000 / size;
        let (get, _) = measured(&factory, &keys, rounds * size, |session| {
            for key in (0..rounds).flat_map(|_| &keys) {
                black_box(session.get_json(key).unwrap());
            }
        });
        let (set, _) =
            measured(&factory, &[], size, |session| keys.iter().for_each(|key| session.set_json(key, "1").unwrap()));
        let (delete, _) =
            measured(&factory, &keys, size, |session| keys.iter().for_each(|key| assert!(session.delete(key))));
        println!("{size:<6} {get:>14.0} {set:>26.0} {delete:>16.0}");
    }
    println!("\nmessages   allow_duplicate    ns per flash    bytes");
    for (size, allow_duplicate) in [(10, true), (10, false), (10_000, true), (10_000, false)] {
        let messages: Vec<String> = (0..size).map(|number| format!("You have message {number}")).collect();
        let (flash, bytes) = measured(&factory, &[], size, |session| {
            messages
                .iter()
                .for_each(|message| session.queue("").allow_duplicate(allow_duplicate).push_str(message).unwrap());
        });
        println!("{size:<6} {allow_duplicate:>19} {flash:>15.0} {bytes:>8}");
    }
}
