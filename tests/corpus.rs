//! The committed inputs of the fuzz targets, run as ordinary tests.

#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let inputs = files.map(|file| {
        let path = file.unwrap().path();
        (path.display().to_string(), std::fs::read(path).unwrap())
    });
    inputs.collect()
}

/// Runs a target with its inputs, with their first halves, and with each input repeated.
fn replay(name: &str) {
    let (_, run) = targets::TARGETS.into_iter().find(|(target, _)| *target == name).expect("the target exists");
    let inputs = inputs(name);
    assert!(inputs.len() >= 10, "{name} has {} inputs", inputs.len());
    for (path, input) in inputs {
        let variants = [input[..input.len() / 2].to_vec(), input.repeat(2), input];
        if std::panic::catch_unwind(|| variants.iter().for_each(|input| run(input))).is_err() {
            panic!("{path} fails");
        }
    }
}

#[test]
fn calls() {
    replay("calls");
}

#[test]
fn cookie_header() {
    replay("cookie_header");
}

#[test]
fn payload_json() {
    replay("payload_json");
}

#[test]
fn payload_pickle() {
    replay("payload_pickle");
}

#[test]
fn record() {
    replay("record");
}

#[test]
fn set_json() {
    replay("set_json");
}

#[test]
fn every_target_is_replayed() {
    let this = include_str!("corpus.rs");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let programs = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut programs: Vec<_> = programs.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    programs.sort();
    assert_eq!(programs, targets::TARGETS.map(|(name, _)| name));
    assert!(programs.iter().all(|name| this.contains(&format!("replay(\"{name}\")"))));
}
