#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| khufu_fuzz::cookie_header::run(data));
