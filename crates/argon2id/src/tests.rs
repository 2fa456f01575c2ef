use argon2::{Algorithm, Argon2, AssociatedData, Block as TheirBlock, ParamsBuilder, Version};

use super::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// Reproducible numbers (xorshift64*), so that a failure can be run again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    fn bytes(&mut self, from: u64, to: u64) -> Vec<u8> {
        let length = from + self.below(to - from + 1);
        (0..length).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }
}

fn theirs(cost: Cost, input: &Input<'_>, out: &mut [u8]) {
    let params = ParamsBuilder::new()
        .m_cost(cost.memory_kib)
        .t_cost(cost.passes)
        .p_cost(cost.lanes)
        .data(AssociatedData::new(input.data).unwrap())
        .output_len(out.len())
        .build()
        .unwrap();
    let mut blocks = vec![TheirBlock::new(); params.block_count()];
    Argon2::new_with_secret(input.secret, Algorithm::Argon2id, Version::V0x13, params)
        .unwrap()
        .hash_password_into_with_memory(input.password, input.salt, out, &mut blocks)
        .unwrap();
}

/// RFC 9106, section 5.3.
#[test]
fn the_vector_of_the_standard() {
    let cost = Cost { memory_kib: 32, passes: 3, lanes: 4 };
    let input = Input { password: &[1; 32], salt: &[2; 16], secret: &[3; 8], data: &[4; 12] };
    let expected = hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
    for implementation in Implementation::available() {
        let mut out = [0; 32];
        implementation.argon2id(&mut Memory::new(), cost, &input, &mut out).unwrap();
        assert_eq!(out.as_slice(), expected, "{}", implementation.name());
    }
}

/// The Argon2id v=19 vectors of `src/test.c` in <https://github.com/P-H-C/phc-winner-argon2>: passes, binary logarithm
/// of the memory in KiB, lanes, password, salt, hash.
#[test]
fn the_vectors_of_the_reference_implementation() {
    let vectors = [
        (2, 16, 1, "password", "somesalt", "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"),
        (2, 18, 1, "password", "somesalt", "78fe1ec91fb3aa5657d72e710854e4c3d9b9198c742f9616c2f085bed95b2e8c"),
        (2, 8, 1, "password", "somesalt", "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
        (2, 8, 2, "password", "somesalt", "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037"),
        (1, 16, 1, "password", "somesalt", "f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98"),
        (4, 16, 1, "password", "somesalt", "9025d48e68ef7395cca9079da4c4ec3affb3c8911fe4f86d1a2520856f63172c"),
        (2, 16, 1, "differentpassword", "somesalt", "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde"),
        (2, 16, 1, "password", "diffsalt", "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c"),
    ];
    for implementation in Implementation::available() {
        // One memory for all, so that each finds what the one before left, and some need more than there is.
        let mut memory = Memory::new();
        for (passes, log, lanes, password, salt, expected) in vectors {
            let cost = Cost { memory_kib: 1 << log, passes, lanes };
            let input = Input { password: password.as_bytes(), salt: salt.as_bytes(), ..Input::default() };
            let mut out = [0; 32];
            implementation.argon2id(&mut memory, cost, &input, &mut out).unwrap();
            assert_eq!(out.as_slice(), hex(expected), "{} {cost:?} {password} {salt}", implementation.name());
        }
    }
}

#[test]
fn whatever_is_asked_the_answer_is_that_of_the_argon2_crate() {
    let mut numbers = Numbers(0x9106);
    let mut memories: Vec<_> = Implementation::available().into_iter().map(|way| (way, Memory::new())).collect();
    for round in 0..400 {
        let lanes = if round % 2 == 0 { 1 } else { 1 + numbers.below(6) };
        // Mostly small, where edges are dense: segments of 2 blocks, around 128 (the reach of one block of addresses).
        let blocks = match round % 5 {
            0 => lanes * 8 + numbers.below(24),
            1 => lanes * 512 + numbers.below(9 * lanes),
            2 => lanes * 504 + numbers.below(9 * lanes),
            3 => lanes * 8 + numbers.below(600),
            _ => lanes * 8 + numbers.below(4000),
        };
        let cost = Cost {
            memory_kib: u32::try_from(blocks).unwrap(),
            passes: u32::try_from(1 + numbers.below(4)).unwrap(),
            lanes: u32::try_from(lanes).unwrap(),
        };
        let (password, salt) = (numbers.bytes(0, 300), numbers.bytes(8, 150));
        let (secret, data) = (numbers.bytes(0, 150), numbers.bytes(0, 32));
        let input = Input { password: &password, salt: &salt, secret: &secret, data: &data };
        let length = numbers.bytes(4, if round % 7 == 0 { 1100 } else { 140 }).len();
        let mut expected = vec![0; length];
        theirs(cost, &input, &mut expected);
        for (implementation, memory) in &mut memories {
            let mut out = vec![0; length];
            implementation.argon2id(memory, cost, &input, &mut out).unwrap();
            assert_eq!(out, expected, "{} {cost:?} round {round}, {length} bytes", implementation.name());
        }
    }
}

#[test]
fn every_length_of_hash_comes_out_as_from_the_argon2_crate() {
    let cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };
    let input = Input { password: b"p", salt: b"somesalt", ..Input::default() };
    let mut memory = Memory::new();
    for length in 4..=260 {
        let (mut out, mut expected) = (vec![0; length], vec![0; length]);
        theirs(cost, &input, &mut expected);
        argon2id(&mut memory, cost, &input, &mut out).unwrap();
        assert_eq!(out, expected, "{length}");
    }
}

#[test]
fn what_argon2id_does_not_allow_is_refused() {
    let input = Input { password: b"password", salt: b"somesalt", ..Input::default() };
    let hash = |memory_kib, passes, lanes, out: &mut [u8]| {
        argon2id(&mut Memory::new(), Cost { memory_kib, passes, lanes }, &input, out)
    };
    let mut out = [0; 32];
    assert_eq!(hash(8, 0, 1, &mut out), Err(Error::Cost));
    assert_eq!(hash(8, 1, 0, &mut out), Err(Error::Cost));
    assert_eq!(hash(7, 1, 1, &mut out), Err(Error::Cost));
    assert_eq!(hash(31, 1, 4, &mut out), Err(Error::Cost));
    assert_eq!(hash(u32::MAX, 1, 0x0100_0000, &mut out), Err(Error::Cost));
    assert_eq!(hash(8, 1, 1, &mut out[..3]), Err(Error::Length));
    assert_eq!(hash(8, 1, 1, &mut []), Err(Error::Length));
    assert_eq!(out, [0; 32]);
    assert_eq!(hash(8, 1, 1, &mut out[..4]), Ok(()));
}

#[test]
fn each_implementation_keeps_every_word_and_no_two_in_one_place() {
    for implementation in Implementation::available() {
        let mut places: Vec<_> = (0..WORDS).map(|word| implementation.place(word)).collect();
        // The first word of a block is read where it lies.
        assert_eq!(places[0], 0);
        places.sort_unstable();
        assert!(places.into_iter().eq(0..WORDS), "{}", implementation.name());
    }
}

#[test]
fn the_implementation_in_use_is_the_fastest_available() {
    assert_eq!(implementation(), Implementation::available()[0].name());
    assert_eq!(Implementation::available().last().unwrap().name(), "portable");
}

#[test]
fn memory_can_be_used_after_it_was_released() {
    let cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
    let input = Input { password: b"password", salt: b"somesalt", ..Input::default() };
    let mut memory = Memory::new();
    let (mut first, mut second) = ([0; 32], [0; 32]);
    memory.release();
    argon2id(&mut memory, cost, &input, &mut first).unwrap();
    assert_eq!(memory.used, 64);
    assert_eq!(memory.capacity, LEAST_CAPACITY / BLOCK_BYTES);
    memory.release();
    memory.release();
    assert_eq!((memory.used, memory.capacity), (0, 0));
    argon2id(&mut memory, cost, &input, &mut second).unwrap();
    assert_eq!(first, second);
}
