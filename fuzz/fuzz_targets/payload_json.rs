#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| khufu_fuzz::payload_json::run(data));
