#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tillgate_parsing::proof(input));
