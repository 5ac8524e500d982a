//! Measures the request cycle (open, read two keys, set one, commit, free) from Rust and through the C ABI of the built
//! shared library, and compares it with the floor: the minimum cost of the cookie format.
//!
//! The floor decodes base64, verifies and signs the payload with a prepared HMAC key, and encodes base64, in buffers
//! that are already allocated.

use std::ffi::{c_char, c_void};
use std::hint::black_box;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

use base64::engine::{DecodePaddingMode, Engine, GeneralPurposeConfig, Simd};
use criterion::Criterion;
use hmac::{Hmac, KeyInit, Mac};
use khufu::{Factory, OpenOptions, Options, Outcome};
use libloading::{Library, Symbol};
use sha2::{Sha256, Sha512};

const NOW: f64 = 1_700_000_000.0;
const SECRET: &str = "itsaseekreet";

/// A state of about this many bytes of JSON: a login, a CSRF token, the time of the last visit and a cart.
fn state(bytes: usize) -> Vec<(String, String)> {
    let mut state = vec![
        ("user_id".to_owned(), "42".to_owned()),
        ("name".to_owned(), "\"Zoe Example\"".to_owned()),
        ("_csrft_".to_owned(), "\"00112233445566778899aabbccddeeff00112233\"".to_owned()),
        ("seen".to_owned(), "1699999999".to_owned()),
    ];
    let length = |state: &[(String, String)]| state.iter().map(|(key, json)| key.len() + json.len() + 4).sum::<usize>();
    while length(&state) + 40 < bytes {
        let number = state.len();
        state.push((format!("item_{number}"), format!(r#"{{"sku":"A-{number}","quantity":2,"gift":false}}"#)));
    }
    state
}

struct Sample {
    name: &'static str,
    header: String,
    json: usize,
}

fn options(hashalg: &str) -> [(&'static str, String); 2] {
    [("secret", SECRET.to_owned()), ("hashalg", hashalg.to_owned())]
}

fn factory(hashalg: &str) -> Factory {
    let mut made = Options::new();
    for (name, value) in options(hashalg) {
        made.set(name, &value).unwrap();
    }
    Factory::new(&made).unwrap()
}

fn sample(name: &'static str, bytes: usize, factory: &Factory) -> Sample {
    let mut session = factory.open_with(b"", &OpenOptions::new().now(NOW)).unwrap();
    for (key, json) in state(bytes) {
        session.set_json(&key, &json).unwrap();
    }
    let json = session.to_json().len();
    let set_cookie = session.commit(Outcome::Response).unwrap()[0].to_string();
    Sample { name, header: set_cookie.split(';').next().unwrap().to_owned(), json }
}

fn rust_cycle(factory: &Factory, header: &str) -> usize {
    let mut session = factory.open_with(header.as_bytes(), &OpenOptions::new().now(NOW + 1.0)).unwrap();
    black_box(session.get_json("user_id").unwrap());
    black_box(session.get_json("_csrft_").unwrap());
    session.set_json("seen", "1700000001").unwrap();
    session.commit(Outcome::Response).unwrap()[0].as_bytes().len()
}

type Status = i32;
type OpenWith = unsafe extern "C" fn(*const c_void, *const c_char, usize, f64, f64, u32, *mut *mut c_void) -> Status;
type Header = unsafe extern "C" fn(
    *const c_void,
    usize,
    *mut *const c_char,
    *mut usize,
    *mut *const c_char,
    *mut usize,
) -> Status;

struct Abi<'l> {
    open_with: Symbol<'l, OpenWith>,
    get: Symbol<'l, unsafe extern "C" fn(*mut c_void, *const c_char, usize, *mut *const c_char, *mut usize) -> Status>,
    set: Symbol<'l, unsafe extern "C" fn(*mut c_void, *const c_char, usize, *const c_char, usize) -> Status>,
    commit: Symbol<'l, unsafe extern "C" fn(*mut c_void, u32) -> Status>,
    header: Symbol<'l, Header>,
    free: Symbol<'l, unsafe extern "C" fn(*mut c_void)>,
    factory: *mut c_void,
}

impl<'l> Abi<'l> {
    /// SAFETY: `library` is khufu's shared library, and these are the signatures in its header.
    unsafe fn new(library: &'l Library, hashalg: &str) -> Self {
        unsafe {
            let options_new: Symbol<'_, unsafe extern "C" fn() -> *mut c_void> =
                library.get(b"khufu_options_new").unwrap();
            let options_set: Symbol<
                '_,
                unsafe extern "C" fn(*mut c_void, *const c_char, usize, *const c_char, usize) -> Status,
            > = library.get(b"khufu_options_set").unwrap();
            let factory_new: Symbol<'_, unsafe extern "C" fn(*mut c_void, *mut *mut c_void) -> Status> =
                library.get(b"khufu_factory_new").unwrap();
            let made = options_new();
            for (name, value) in options(hashalg) {
                assert_eq!(options_set(made, name.as_ptr().cast(), name.len(), value.as_ptr().cast(), value.len()), 0);
            }
            let mut factory = null_mut();
            assert_eq!(factory_new(made, &mut factory), 0);
            Self {
                open_with: library.get(b"khufu_session_open_with").unwrap(),
                get: library.get(b"khufu_session_get").unwrap(),
                set: library.get(b"khufu_session_set").unwrap(),
                commit: library.get(b"khufu_session_commit").unwrap(),
                header: library.get(b"khufu_session_header").unwrap(),
                free: library.get(b"khufu_session_free").unwrap(),
                factory,
            }
        }
    }

    fn cycle(&self, header: &str) -> usize {
        let (mut session, mut data, mut len) = (null_mut(), std::ptr::null(), 0);
        let (mut name, mut name_len) = (std::ptr::null(), 0);
        // SAFETY: the texts outlive the calls, and the session is live until it is freed.
        unsafe {
            let ok =
                (self.open_with)(self.factory, header.as_ptr().cast(), header.len(), NOW + 1.0, -1.0, 0, &mut session)
                    | (self.get)(session, c"user_id".as_ptr(), 7, &mut data, &mut len)
                    | (self.get)(session, c"_csrft_".as_ptr(), 7, &mut data, &mut len)
                    | (self.set)(session, c"seen".as_ptr(), 4, c"1700000001".as_ptr(), 10)
                    | (self.commit)(session, 0)
                    | (self.header)(session, 0, &mut name, &mut name_len, &mut data, &mut len);
            assert_eq!(ok, 0);
            (self.free)(session);
        }
        len
    }
}

struct Floor<M> {
    base64: Simd,
    mac: M,
    digest: usize,
    raw: Vec<u8>,
    value: Vec<u8>,
}

impl<M: Mac + KeyInit + Clone> Floor<M> {
    fn new(sample: &Sample) -> Self {
        let unpadded = GeneralPurposeConfig::new().with_encode_padding(false);
        let base64 = Simd::url_safe(unpadded.with_decode_padding_mode(DecodePaddingMode::Indifferent));
        let value = sample.header.split_once('=').unwrap().1.as_bytes().to_vec();
        let raw = base64.decode(&value).unwrap();
        let mac = <M as KeyInit>::new_from_slice(format!("pyramid.session.{SECRET}").as_bytes()).unwrap();
        Self { base64, mac, digest: M::output_size(), raw, value }
    }

    fn cycle(&mut self) -> bool {
        let Self { base64, mac, digest, raw, value } = self;
        base64.decode_slice_unchecked(&*value, raw).unwrap();
        let (signature, payload) = raw.split_at_mut(*digest);
        let genuine = mac.clone().chain_update(&*payload).verify_slice(signature).is_ok();
        signature.copy_from_slice(&mac.clone().chain_update(&*payload).finalize().into_bytes());
        base64.encode_slice(&*raw, value).unwrap();
        genuine
    }
}

const ROUNDS: usize = 400;
const CYCLES: u32 = 100;

/// The shortest time of each cycle, in nanoseconds. The cycles take turns, so that other load on the machine slows all
/// of them and leaves their ratios unchanged.
fn shortest<const N: usize>(mut cycles: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut shortest = [f64::INFINITY; N];
    for _ in 0..ROUNDS {
        for (cycle, shortest) in cycles.iter_mut().zip(&mut shortest) {
            let start = Instant::now();
            (0..CYCLES).for_each(|_| cycle());
            *shortest = shortest.min(start.elapsed().as_nanos() as f64 / f64::from(CYCLES));
        }
    }
    shortest
}

fn main() {
    let path = std::env::var("KHUFU_LIBRARY").expect("KHUFU_LIBRARY is the path of libkhufu.so; `make bench` sets it");
    // SAFETY: loading khufu runs only its own start-up code, which is empty.
    let library = unsafe { Library::new(path) }.unwrap();
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .without_plots();
    let mut table = String::new();
    compare::<Hmac<Sha512>>("sha512", &library, &mut criterion, &mut table);
    compare::<Hmac<Sha256>>("sha256", &library, &mut criterion, &mut table);
    println!("\nThe request cycle in nanoseconds (the shortest of many rounds), and its ratio to the floor\n");
    println!("hashalg  state     JSON  cookie     floor      Rust  ratio         C  ratio\n{table}");
}

/// Compares the cycles under one digest algorithm, and adds their lines to the table.
fn compare<M: Mac + KeyInit + Clone>(name: &str, library: &Library, criterion: &mut Criterion, table: &mut String) {
    let factory = factory(name);
    // SAFETY: `library` is khufu's shared library.
    let abi = unsafe { Abi::new(library, name) };
    for (size, bytes) in [("small", 120), ("medium", 600), ("large", 2800)] {
        let sample = sample(size, bytes, &factory);
        let header = &*sample.header;
        let mut floor = Floor::<M>::new(&sample);
        assert!(floor.cycle() && rust_cycle(&factory, header) == abi.cycle(header));
        let mut group = criterion.benchmark_group(format!("{name}-{}", sample.name));
        group.bench_function("floor", |bencher| bencher.iter(|| floor.cycle()));
        group.bench_function("rust", |bencher| bencher.iter(|| rust_cycle(&factory, black_box(header))));
        group.bench_function("c", |bencher| bencher.iter(|| abi.cycle(black_box(header))));
        group.finish();
        let [floor, rust, c] = shortest([
            &mut || _ = black_box(floor.cycle()),
            &mut || _ = black_box(rust_cycle(&factory, black_box(header))),
            &mut || _ = black_box(abi.cycle(black_box(header))),
        ]);
        *table += &format!(
            "{name:<8} {size:<7} {:>6} {:>7} {floor:>9.0} {rust:>9.0} {:>6.2} {c:>9.0} {:>6.2}\n",
            sample.json,
            header.len(),
            rust / floor,
            c / floor
        );
    }
}
