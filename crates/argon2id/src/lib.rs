//! Argon2id v1.3 (RFC 9106), as fast as the processor allows: whoever steals a table of hashes guesses with the fastest
//! code there is, so every cycle the server wastes is strength it gives away. This crate turns bytes into bytes; it
//! must not know what a password, a pepper or a user is, nor how a hash is written down.
//!
//! It is the only crate of the workspace with `unsafe` in it. What is unsafe is kept to three things: the buffer that is
//! allocated but not initialised ([`Memory`]), the walk over its blocks by pointer, and the vector instructions.

// A call in the loop over the blocks would send every vector register to the stack and back.
#![allow(clippy::inline_always)]

use std::alloc::{Layout, alloc, dealloc};
use std::fmt;
use std::ptr::NonNull;

use blake2::Blake2bVarCore;
use blake2::digest::Output;
use blake2::digest::block_api::{UpdateCore, VariableOutputCore};
use blake2::digest::block_buffer::LazyBuffer;

/// Words in a block.
const WORDS: usize = 128;
/// Bytes in a block; the unit in which the memory cost is given.
const BLOCK_BYTES: usize = 1024;
/// Slices in a pass; a block never refers to one another lane is writing in the same slice.
const SLICES: usize = 4;
/// The version hashed in front of everything else: 1.3.
const VERSION: u32 = 0x13;
/// The variant hashed in front of everything else: Argon2id.
const VARIANT: u32 = 2;
/// Most lanes RFC 9106 allows.
const MAX_LANES: u32 = 0x00ff_ffff;
/// Shortest hash RFC 9106 allows.
const MIN_OUT: usize = 4;

/// glibc serves an allocation of more than 32 MiB by a mapping of its own, whatever its tuning has come to, and gives it
/// back to the system when freed; a smaller one may stay in the heap for good. A smaller need is therefore met by this
/// much address space, of which only what is used becomes resident.
const LEAST_CAPACITY: usize = 33 << 20;
/// The size of a huge page on x86-64 and, with 4 KiB pages, on aarch64; a buffer that begins with one can consist of
/// them.
const HUGE_PAGE: usize = 2 << 20;

/// Why nothing was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// No pass, no lane, too many lanes, or less than 8 KiB of memory for each lane.
    Cost,
    /// A hash of less than 4 bytes is wanted, or some length does not fit in 32 bits.
    Length,
    /// The system does not have the memory.
    Memory,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cost => "cost outside what Argon2id allows",
            Self::Length => "length outside what Argon2id allows",
            Self::Memory => "not enough memory for Argon2id",
        })
    }
}

impl std::error::Error for Error {}

/// What a hash costs whoever computes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB, at least 8 for each lane.
    pub memory_kib: u32,
    /// Passes over that memory, at least 1.
    pub passes: u32,
    /// Lanes the memory is divided into, at least 1. They are computed one after the other: more lanes make another
    /// hash, not a faster one.
    pub lanes: u32,
}

/// What is hashed. Fields rather than arguments, since the four would be easily confused.
#[derive(Clone, Copy, Default)]
pub struct Input<'a> {
    /// The password.
    pub password: &'a [u8],
    /// The salt.
    pub salt: &'a [u8],
    /// The secret mixed in (a pepper); may be empty.
    pub secret: &'a [u8],
    /// Associated data; may be empty.
    pub data: &'a [u8],
}

/// Fills `out` with the Argon2id hash of `input`, computed in `memory` by the fastest code this machine can run.
///
/// What was in `memory` before does not matter; afterwards it holds what the password could be tested against, until it
/// is used again, released or dropped.
pub fn argon2id(memory: &mut Memory, cost: Cost, input: &Input<'_>, out: &mut [u8]) -> Result<(), Error> {
    Implementation::best().argon2id(memory, cost, input, out)
}

/// The name of the code [`argon2id`] runs on this machine: `avx512`, `avx2` or `portable`.
pub fn implementation() -> &'static str {
    Implementation::best().name()
}

/// A way to compute the hash that this machine is known to support; all give the same result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Implementation(Kind);

/// The field of [`Implementation`], private so that one the machine lacks cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

/// All there are, the fastest first.
const KINDS: &[Kind] = &[
    #[cfg(target_arch = "x86_64")]
    Kind::Avx512,
    #[cfg(target_arch = "x86_64")]
    Kind::Avx2,
    Kind::Portable,
];

impl Kind {
    fn supported(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => is_x86_feature_detected!("avx512f"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            Self::Portable => true,
        }
    }
}

impl Implementation {
    /// The fastest one.
    pub fn best() -> Self {
        Self(KINDS.iter().copied().find(|kind| kind.supported()).unwrap_or(Kind::Portable))
    }

    /// All of them, the fastest first.
    pub fn available() -> Vec<Self> {
        KINDS.iter().copied().filter(|kind| kind.supported()).map(Self).collect()
    }

    /// `avx512`, `avx2` or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            Kind::Portable => "portable",
        }
    }

    /// As the function [`argon2id`], with this code rather than the fastest.
    pub fn argon2id(self, memory: &mut Memory, cost: Cost, input: &Input<'_>, out: &mut [u8]) -> Result<(), Error> {
        let shape = Shape::of(cost)?;
        let mut seed = seed(cost, input, out.len())?;
        let blocks = memory.prepare(shape.blocks())?;
        let done = self.fill(&shape, blocks, &mut seed).and_then(|()| self.finish(&shape, blocks, out));
        wipe(&mut seed);
        done
    }

    /// Writes every block of the memory as often as there are passes.
    fn fill(self, shape: &Shape, blocks: NonNull<Block>, seed: &mut Seed) -> Result<(), Error> {
        for lane in 0..shape.lanes {
            for column in 0..2 {
                let mut block = self.first_block(seed, column, lane)?;
                // SAFETY: block `column` of `lane` is one of the `shape.blocks()` that `blocks` has room for, since a
                // lane has at least 8.
                #[allow(unsafe_code)]
                unsafe {
                    blocks.add(lane * shape.lane_blocks + column).write(block);
                }
                wipe_block(&mut block);
            }
        }
        for pass in 0..shape.passes {
            for slice in 0..SLICES {
                for lane in 0..shape.lanes {
                    self.fill_segment(&Segment { shape, blocks, pass, slice, lane });
                }
            }
        }
        Ok(())
    }

    /// One of the two blocks a lane begins with, from the seed.
    fn first_block(self, seed: &mut Seed, column: usize, lane: usize) -> Result<Block, Error> {
        let (_, place) = seed.split_at_mut(SEED_HASH);
        place.copy_from_slice((((lane as u64) << 32) | column as u64).to_le_bytes().as_slice());
        let mut bytes = [0; BLOCK_BYTES];
        long_hash(seed, &mut bytes)?;
        let mut words = Block::ZERO;
        for (word, bytes) in words.0.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let block = self.arranged(&words);
        wipe(&mut bytes);
        wipe_block(&mut words);
        Ok(block)
    }

    /// Writes the blocks of one segment once.
    fn fill_segment(self, segment: &Segment<'_>) {
        let shape = segment.shape;
        let begin = if segment.pass == 0 && segment.slice == 0 { 2 } else { 0 };
        // The first half of the first pass goes where no password can tell; the rest where the last block says.
        if segment.pass > 0 || segment.slice >= SLICES / 2 {
            self.run(segment, begin, shape.segment_blocks, None);
            return;
        }
        let mut input = Block::ZERO;
        for (counter, first) in (1..).zip((0..shape.segment_blocks).step_by(WORDS)) {
            let numbers = [
                u64::from(segment.pass),
                segment.lane as u64,
                segment.slice as u64,
                shape.blocks() as u64,
                u64::from(shape.passes),
                u64::from(VARIANT),
                counter,
            ];
            for (word, number) in input.0.iter_mut().zip(numbers) {
                *word = number;
            }
            let addresses = self.twice(&input);
            self.run(segment, first.max(begin), shape.segment_blocks.min(first + WORDS), Some(&addresses));
        }
    }

    /// The compression of `input` with nothing, twice over: how the blocks that give addresses are made.
    fn twice(self, input: &Block) -> Block {
        let mut blocks = [Block::ZERO, self.arranged(input)];
        let [zero, block] = &mut blocks;
        for _ in 0..2 {
            self.compress(zero, block);
        }
        self.restored(block)
    }

    /// Replaces `block` by its compression with `other`.
    fn compress(self, other: &Block, block: &mut Block) {
        let block: *mut Block = block;
        // SAFETY: the pointers come from references to blocks and may be the same (each function says so); an
        // `Implementation` exists only where its instructions do.
        #[allow(unsafe_code)]
        unsafe {
            match self.0 {
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => avx512::compress(other, block, block),
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => avx2::compress::<false>(other, block, block),
                Kind::Portable => portable::compress::<false>(other, block, block),
            }
        }
    }

    /// Writes blocks `from..to` of a segment, to which `addresses` apply if given.
    fn run(self, segment: &Segment<'_>, from: usize, to: usize, addresses: Option<&Block>) {
        let walk = Walk { segment, from, to, addresses };
        // SAFETY: `segment.blocks` has room for all blocks of the shape; those before `from` in the order of the
        // algorithm have been written, so that every block read is initialised; and an `Implementation` exists only
        // where its instructions do.
        #[allow(unsafe_code)]
        unsafe {
            match (self.0, segment.pass) {
                #[cfg(target_arch = "x86_64")]
                (Kind::Avx512, 0) => avx512::walk::<false>(&walk),
                #[cfg(target_arch = "x86_64")]
                (Kind::Avx512, _) => avx512::walk::<true>(&walk),
                #[cfg(target_arch = "x86_64")]
                (Kind::Avx2, 0) => avx2::walk::<false>(&walk),
                #[cfg(target_arch = "x86_64")]
                (Kind::Avx2, _) => avx2::walk::<true>(&walk),
                (Kind::Portable, 0) => portable::walk::<false>(&walk),
                (Kind::Portable, _) => portable::walk::<true>(&walk),
            }
        }
    }

    /// The hash, from the last blocks of all lanes.
    fn finish(self, shape: &Shape, blocks: NonNull<Block>, out: &mut [u8]) -> Result<(), Error> {
        let mut last = Block::ZERO;
        for lane in 1..=shape.lanes {
            // SAFETY: the last block of a lane, which every lane has and the passes have written.
            #[allow(unsafe_code)]
            let block = unsafe { blocks.add(lane * shape.lane_blocks - 1).as_ref() };
            for (sum, word) in last.0.iter_mut().zip(&block.0) {
                *sum ^= word;
            }
        }
        let mut words = self.restored(&last);
        let mut bytes = [0; BLOCK_BYTES];
        for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words.0) {
            *bytes = word.to_le_bytes();
        }
        let done = long_hash(&bytes, out);
        wipe(&mut bytes);
        wipe_block(&mut last);
        wipe_block(&mut words);
        done
    }

    /// Where this code keeps each word of a block: the order that saves it shuffling, since blocks are only ever
    /// combined with each other and need the order of the standard on the way in and out alone.
    fn place(self, word: usize) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => avx512::place(word),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => avx2::place(word),
            Kind::Portable => word,
        }
    }

    /// A block in the order of the standard, in this code's order.
    fn arranged(self, block: &Block) -> Block {
        let mut arranged = Block::ZERO;
        for (word, value) in block.0.iter().enumerate() {
            if let Some(slot) = arranged.0.get_mut(self.place(word)) {
                *slot = *value;
            }
        }
        arranged
    }

    /// A block in this code's order, in the order of the standard.
    fn restored(self, block: &Block) -> Block {
        let mut restored = Block::ZERO;
        for (word, slot) in restored.0.iter_mut().enumerate() {
            if let Some(value) = block.0.get(self.place(word)) {
                *slot = *value;
            }
        }
        restored
    }
}

/// One KiB as the algorithm sees it; aligned so that no vector straddles two cache lines.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Block([u64; WORDS]);

impl Block {
    const ZERO: Self = Self([0; WORDS]);
}

/// The blocks an Argon2id hash is computed in, kept from one hash to the next because having the system hand out fresh
/// pages can cost as much as the hash itself.
///
/// Nothing is allocated before the first use, and no page is touched that no hash needed. What was used is overwritten
/// with zeros on [`Memory::release`] and on drop.
pub struct Memory {
    /// Dangling while `capacity` is 0.
    blocks: NonNull<Block>,
    /// Blocks there is room for.
    capacity: usize,
    /// Blocks at the beginning that may have been written.
    used: usize,
}

// SAFETY: the buffer belongs to this value alone, like that of a `Vec`.
#[allow(unsafe_code)]
unsafe impl Send for Memory {}

// SAFETY: nothing can be reached through a shared reference.
#[allow(unsafe_code)]
unsafe impl Sync for Memory {}

impl Memory {
    /// Memory that has yet to be used.
    pub const fn new() -> Self {
        Self { blocks: NonNull::dangling(), capacity: 0, used: 0 }
    }

    /// Wipes the memory and gives it back to the system. It may be used again.
    pub fn release(&mut self) {
        if let Some(layout) = Self::layout(self.capacity).filter(|_| self.capacity > 0) {
            for block in 0..self.used {
                // SAFETY: `used` never exceeds `capacity`. Volatile, lest the compiler leave out writing what is about
                // to be freed.
                #[allow(unsafe_code)]
                unsafe {
                    self.blocks.add(block).write_volatile(Block::ZERO);
                }
            }
            // SAFETY: `prepare` allocated `capacity` blocks with this layout, and nobody else points to them.
            #[allow(unsafe_code)]
            unsafe {
                dealloc(self.blocks.as_ptr().cast(), layout);
            }
        }
        (self.blocks, self.capacity, self.used) = (NonNull::dangling(), 0, 0);
    }

    /// Room for `needed` blocks, not necessarily initialised.
    fn prepare(&mut self, needed: usize) -> Result<NonNull<Block>, Error> {
        if self.capacity < needed {
            self.release();
            let capacity = needed.max(LEAST_CAPACITY / BLOCK_BYTES);
            let layout = Self::layout(capacity).ok_or(Error::Memory)?;
            // SAFETY: the size is not zero.
            #[allow(unsafe_code)]
            let start = unsafe { alloc(layout) };
            self.blocks = NonNull::new(start.cast()).ok_or(Error::Memory)?;
            self.capacity = capacity;
            self.ask_for_huge_pages(layout.size());
        }
        self.used = self.used.max(needed);
        Ok(self.blocks)
    }

    fn layout(capacity: usize) -> Option<Layout> {
        Layout::from_size_align(capacity.checked_mul(BLOCK_BYTES)?, HUGE_PAGE).ok()
    }

    /// Asks for huge pages: the blocks are read in an order no translation buffer for small ones can keep up with
    /// (measured: 2 to 6 % of a hash), and a first use takes 10 page faults rather than thousands.
    #[cfg(target_os = "linux")]
    fn ask_for_huge_pages(&self, bytes: usize) {
        // SAFETY: the range is the allocation just made, and the advice changes nothing about its contents.
        #[allow(unsafe_code)]
        let advised =
            unsafe { rustix::mm::madvise(self.blocks.as_ptr().cast(), bytes, rustix::mm::Advice::LinuxHugepage) };
        // A kernel without them hashes just as correctly.
        let _ = advised;
    }

    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unused_self)]
    fn ask_for_huge_pages(&self, _bytes: usize) {}
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.release();
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("capacity", &self.capacity).field("used", &self.used).finish_non_exhaustive()
    }
}

/// A cost that has been checked, in blocks. There is at least one lane, and a segment has at least two blocks.
struct Shape {
    passes: u32,
    lanes: usize,
    lane_blocks: usize,
    segment_blocks: usize,
}

impl Shape {
    fn of(cost: Cost) -> Result<Self, Error> {
        let Cost { memory_kib, passes, lanes } = cost;
        if passes == 0 || lanes == 0 || lanes > MAX_LANES || memory_kib / 8 < lanes {
            return Err(Error::Cost);
        }
        let lanes = usize::try_from(lanes).map_err(|_| Error::Memory)?;
        let segment_blocks = usize::try_from(memory_kib).map_err(|_| Error::Memory)? / SLICES / lanes;
        Ok(Self { passes, lanes, lane_blocks: segment_blocks * SLICES, segment_blocks })
    }

    /// The blocks of all lanes: the memory cost, rounded down to what the lanes can share evenly.
    fn blocks(&self) -> usize {
        self.lanes * self.lane_blocks
    }
}

/// Part of a lane that is written from what was complete before it began, and from itself.
struct Segment<'a> {
    shape: &'a Shape,
    blocks: NonNull<Block>,
    pass: u32,
    slice: usize,
    lane: usize,
}

/// Blocks of a segment to be written one after the other.
struct Walk<'a> {
    segment: &'a Segment<'a>,
    from: usize,
    to: usize,
    /// The words that choose what each block refers to, if not the block before it.
    addresses: Option<&'a Block>,
}

impl Walk<'_> {
    /// Index among all blocks of the block at `index` in this segment.
    #[inline(always)]
    fn block(&self, index: usize) -> usize {
        let Segment { shape, slice, lane, .. } = self.segment;
        lane * shape.lane_blocks + slice * shape.segment_blocks + index
    }

    /// Index among all blocks of the one before [`Walk::from`], which for the first of a lane is its last.
    #[inline(always)]
    fn previous(&self) -> usize {
        let block = self.block(self.from);
        if self.segment.slice == 0 && self.from == 0 { block + self.segment.shape.lane_blocks - 1 } else { block - 1 }
    }

    /// Index among all blocks of the one that the block at `index` in this segment refers to: by its word of the
    /// addresses, or by `word`, the first of the block before it. This is section 3.4 of RFC 9106.
    ///
    /// The result is always a block of the memory, and with the order segments are written in, one that has been
    /// written: the modulo keeps a lane within the lanes, and the block is counted from where the window of `area`
    /// blocks begins, going round at the end of the lane.
    #[inline(always)]
    fn reference(&self, index: usize, word: u64) -> usize {
        let Segment { shape, pass, slice, lane, .. } = *self.segment;
        let word = match self.addresses {
            Some(addresses) => addresses.0.get(index % WORDS).copied().unwrap_or(word),
            None => word,
        };
        // One lane is the usual case, and division is slow.
        let first_segment = pass == 0 && slice == 0;
        let other = if shape.lanes == 1 || first_segment { lane } else { ((word >> 32) % shape.lanes as u64) as usize };
        let complete = if pass == 0 { slice * shape.segment_blocks } else { shape.lane_blocks - shape.segment_blocks };
        // All that is complete, without the block before this one; in the lane itself also what this segment has so
        // far.
        let area = if other == lane { complete + index - 1 } else { complete - usize::from(index == 0) };
        let low = word & 0xffff_ffff;
        let back = (area as u64 * ((low * low) >> 32)) >> 32;
        let begin = if pass == 0 || slice == SLICES - 1 { 0 } else { (slice + 1) * shape.segment_blocks };
        let within = begin + area - 1 - back as usize;
        let within = if within >= shape.lane_blocks { within - shape.lane_blocks } else { within };
        other * shape.lane_blocks + within
    }
}

/// The core of the permutation, on whatever the functions it names work on: half of what `BLAKE2b` does to four words,
/// with `mix` where that adds; on several quadruples at once, so that their latencies overlap.
macro_rules! halves {
    ($first:literal, $second:literal; $(($a:ident, $b:ident, $c:ident, $d:ident)),+) => {
        $($a = mix($a, $b);)+
        $($d = rotate::<$first>(xor($d, $a));)+
        $($c = mix($c, $d);)+
        $($b = rotate::<$second>(xor($b, $c));)+
    };
}

/// Code for any processor, with the words in the order of the standard.
mod portable {
    use super::{Block, Walk};

    /// As the standard has it: a plus b plus twice the product of their lower halves.
    #[inline(always)]
    const fn mix(a: u64, b: u64) -> u64 {
        let product = (a & 0xffff_ffff) * (b & 0xffff_ffff);
        a.wrapping_add(b).wrapping_add(product << 1)
    }

    #[inline(always)]
    const fn xor(a: u64, b: u64) -> u64 {
        a ^ b
    }

    #[inline(always)]
    const fn rotate<const BY: u32>(a: u64) -> u64 {
        a.rotate_right(BY)
    }

    #[inline(always)]
    fn permute(words: [&mut u64; 16]) {
        let [p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15] = words;
        let (mut a0, mut a1, mut a2, mut a3) = (*p0, *p1, *p2, *p3);
        let (mut b0, mut b1, mut b2, mut b3) = (*p4, *p5, *p6, *p7);
        let (mut c0, mut c1, mut c2, mut c3) = (*p8, *p9, *p10, *p11);
        let (mut d0, mut d1, mut d2, mut d3) = (*p12, *p13, *p14, *p15);
        halves!(32, 24; (a0, b0, c0, d0), (a1, b1, c1, d1), (a2, b2, c2, d2), (a3, b3, c3, d3));
        halves!(16, 63; (a0, b0, c0, d0), (a1, b1, c1, d1), (a2, b2, c2, d2), (a3, b3, c3, d3));
        halves!(32, 24; (a0, b1, c2, d3), (a1, b2, c3, d0), (a2, b3, c0, d1), (a3, b0, c1, d2));
        halves!(16, 63; (a0, b1, c2, d3), (a1, b2, c3, d0), (a2, b3, c0, d1), (a3, b0, c1, d2));
        (*p0, *p1, *p2, *p3) = (a0, a1, a2, a3);
        (*p4, *p5, *p6, *p7) = (b0, b1, b2, b3);
        (*p8, *p9, *p10, *p11) = (c0, c1, c2, c3);
        (*p12, *p13, *p14, *p15) = (d0, d1, d2, d3);
    }

    /// # Safety
    ///
    /// The pointers must be valid for the block read or written; they may be the same. With `AGAIN`, `target` is read
    /// too.
    #[allow(unsafe_code)]
    pub(super) unsafe fn compress<const AGAIN: bool>(
        previous: *const Block,
        reference: *const Block,
        target: *mut Block,
    ) {
        // SAFETY: the caller's promise. The references end before `target` is written.
        let (mut sum, old) = unsafe {
            let mut sum = *previous;
            for (word, other) in sum.0.iter_mut().zip(&(*reference).0) {
                *word ^= other;
            }
            (sum, if AGAIN { *target } else { Block::ZERO })
        };
        let mut state = sum;
        for row in state.0.as_chunks_mut().0 {
            permute(row.each_mut());
        }
        let (rows, _) = state.0.as_chunks_mut::<16>();
        if let [r0, r1, r2, r3, r4, r5, r6, r7] = rows {
            let upper = pairs(r0).zip(pairs(r1)).zip(pairs(r2).zip(pairs(r3)));
            let lower = pairs(r4).zip(pairs(r5)).zip(pairs(r6).zip(pairs(r7)));
            for (((p0, p1), (p2, p3)), ((p4, p5), (p6, p7))) in upper.zip(lower) {
                let [[x0, x1], [x2, x3], [x4, x5], [x6, x7]] = [p0, p1, p2, p3].map(<[u64; 2]>::each_mut);
                let [[x8, x9], [x10, x11], [x12, x13], [x14, x15]] = [p4, p5, p6, p7].map(<[u64; 2]>::each_mut);
                permute([x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15]);
            }
        }
        for ((sum, word), old) in sum.0.iter_mut().zip(state.0).zip(old.0) {
            *sum ^= word ^ old;
        }
        // SAFETY: the caller's promise.
        unsafe { *target = sum };
    }

    fn pairs(row: &mut [u64; 16]) -> impl Iterator<Item = &mut [u64; 2]> {
        row.as_chunks_mut().0.iter_mut()
    }

    /// # Safety
    ///
    /// The blocks of the walk must be valid, all that come before it written, and nobody else's.
    #[allow(unsafe_code)]
    pub(super) unsafe fn walk<const AGAIN: bool>(walk: &Walk<'_>) {
        let blocks = walk.segment.blocks.as_ptr();
        let mut previous = walk.previous();
        for index in walk.from..walk.to {
            let target = walk.block(index);
            // SAFETY: all three are blocks of the memory, the first two written.
            unsafe {
                let word = (*blocks.add(previous)).0[0];
                let reference = walk.reference(index, word);
                compress::<AGAIN>(blocks.add(previous), blocks.add(reference), blocks.add(target));
            }
            previous = target;
        }
    }
}

/// Code for processors with AVX2.
///
/// A vector holds the words of two rows and two columns of the block that have the same place in the permutation of
/// either direction: bit 1 of a lane's number is the lowest bit of the row, bit 0 that of the column (a column being two
/// words wide). So both directions work on whole vectors as they are in memory, and the shift between columns and
/// diagonals swaps lanes in only half the vectors it moves; the others merely change names.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_epi64, _mm256_load_si256, _mm256_mul_epu32, _mm256_or_si256,
        _mm256_permute4x64_epi64, _mm256_setr_epi8, _mm256_shuffle_epi8, _mm256_shuffle_epi32, _mm256_slli_epi64,
        _mm256_srli_epi64, _mm256_store_si256, _mm256_xor_si256,
    };
    use std::mem::MaybeUninit;

    use super::{BLOCK_BYTES, Block, Walk};

    /// Vectors in a block.
    const VECTORS: usize = 32;

    pub(super) const fn place(word: usize) -> usize {
        let (row, column, half) = (word >> 4, (word >> 1) & 7, word & 1);
        let vector = ((row >> 1) << 3) | ((column >> 1) << 1) | half;
        (vector << 2) | ((row & 1) << 1) | (column & 1)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn mix(a: __m256i, b: __m256i) -> __m256i {
        let product = _mm256_mul_epu32(a, b);
        _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(product, product))
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn xor(a: __m256i, b: __m256i) -> __m256i {
        _mm256_xor_si256(a, b)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn rotate<const BY: u32>(a: __m256i) -> __m256i {
        match BY {
            32 => _mm256_shuffle_epi32::<0b10_11_00_01>(a),
            24 => _mm256_shuffle_epi8(
                a,
                _mm256_setr_epi8(
                    3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10, 3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15,
                    8, 9, 10,
                ),
            ),
            16 => _mm256_shuffle_epi8(
                a,
                _mm256_setr_epi8(
                    2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9, 2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14,
                    15, 8, 9,
                ),
            ),
            _ => _mm256_or_si256(_mm256_srli_epi64::<63>(a), _mm256_slli_epi64::<1>(a)),
        }
    }

    /// Swaps the lanes of neighbours in the direction of the permutation.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn swap<const COLUMNS: bool>(a: __m256i) -> __m256i {
        if COLUMNS { _mm256_permute4x64_epi64::<0b01_00_11_10>(a) } else { _mm256_shuffle_epi32::<0b01_00_11_10>(a) }
    }

    /// The permutation of two rows or two columns.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn permute<const COLUMNS: bool>(vectors: [__m256i; 8]) -> [__m256i; 8] {
        let [mut a0, mut a1, mut b0, mut b1, mut c0, mut c1, mut d0, mut d1] = vectors;
        halves!(32, 24; (a0, b0, c0, d0), (a1, b1, c1, d1));
        halves!(16, 63; (a0, b0, c0, d0), (a1, b1, c1, d1));
        // Diagonals are usually lined up with a; with b, the last to be known, nothing has to wait for it.
        (a0, a1) = (swap::<COLUMNS>(a1), a0);
        (c0, c1) = (c1, swap::<COLUMNS>(c0));
        (d0, d1) = (swap::<COLUMNS>(d0), swap::<COLUMNS>(d1));
        halves!(32, 24; (a0, b0, c0, d0), (a1, b1, c1, d1));
        halves!(16, 63; (a0, b0, c0, d0), (a1, b1, c1, d1));
        (a0, a1) = (a1, swap::<COLUMNS>(a0));
        (c0, c1) = (swap::<COLUMNS>(c1), c0);
        (d0, d1) = (swap::<COLUMNS>(d0), swap::<COLUMNS>(d1));
        [a0, a1, b0, b1, c0, c1, d0, d1]
    }

    /// # Safety
    ///
    /// The pointers must be valid for the block read or written; they may be the same. With `AGAIN`, `target` is read
    /// too.
    #[target_feature(enable = "avx2")]
    #[allow(unsafe_code)]
    #[inline]
    pub(super) unsafe fn compress<const AGAIN: bool>(
        previous: *const Block,
        reference: *const Block,
        target: *mut Block,
    ) {
        let (previous, reference, target): (*const __m256i, *const __m256i, *mut __m256i) =
            (previous.cast(), reference.cast(), target.cast());
        let mut state = [MaybeUninit::<__m256i>::uninit(); VECTORS];
        let state: *mut __m256i = state.as_mut_ptr().cast();
        // SAFETY: every offset is below `VECTORS`, the pointers are the caller's promise, a block is aligned, and the
        // first loop writes all of `state`.
        unsafe {
            for row in 0..4 {
                let sum = |i: usize| {
                    let i = 8 * row + i;
                    xor(_mm256_load_si256(previous.add(i)), _mm256_load_si256(reference.add(i)))
                };
                let done = permute::<false>([sum(0), sum(1), sum(2), sum(3), sum(4), sum(5), sum(6), sum(7)]);
                for (i, vector) in done.into_iter().enumerate() {
                    _mm256_store_si256(state.add(8 * row + i), vector);
                }
            }
            for column in 0..4 {
                let at = |i: usize| 8 * (i >> 1) + 2 * column + (i & 1);
                let of = |i: usize| _mm256_load_si256(state.add(at(i)));
                let done = permute::<true>([of(0), of(1), of(2), of(3), of(4), of(5), of(6), of(7)]);
                for (i, vector) in done.into_iter().enumerate() {
                    let i = at(i);
                    let sum = xor(_mm256_load_si256(previous.add(i)), _mm256_load_si256(reference.add(i)));
                    let sum = if AGAIN { xor(sum, _mm256_load_si256(target.add(i))) } else { sum };
                    _mm256_store_si256(target.add(i), xor(sum, vector));
                }
            }
        }
    }

    /// # Safety
    ///
    /// The blocks of the walk must be valid, all that come before it written, and nobody else's.
    #[target_feature(enable = "avx2")]
    #[allow(unsafe_code)]
    pub(super) unsafe fn walk<const AGAIN: bool>(walk: &Walk<'_>) {
        let blocks = walk.segment.blocks.as_ptr();
        let mut previous = walk.previous();
        for index in walk.from..walk.to {
            let target = walk.block(index);
            // SAFETY: all three are blocks of the memory, the first two written.
            unsafe {
                let word = blocks.add(previous).cast::<u64>().read();
                let reference = walk.reference(index, word);
                if walk.addresses.is_some() && index + 1 < walk.to {
                    prefetch(blocks.add(walk.reference(index + 1, 0)));
                }
                compress::<AGAIN>(blocks.add(previous), blocks.add(reference), blocks.add(target));
            }
            previous = target;
        }
    }

    /// Has a block loaded; any pointer will do.
    #[inline(always)]
    #[allow(unsafe_code)]
    pub(super) fn prefetch(block: *const Block) {
        for line in (0..BLOCK_BYTES).step_by(64) {
            // SAFETY: a prefetch never faults.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(block.cast::<i8>().wrapping_add(line)) };
        }
    }
}

/// Code for processors with AVX-512.
///
/// The arrangement is that of the AVX2 code with both words of a column side by side: a lane's number is the lowest bit
/// of the row, the lowest of the column, and the word. All 16 vectors of a block stay in registers from one block to the
/// next.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m512i, _mm_extract_epi64, _mm512_add_epi64, _mm512_castsi512_si128, _mm512_load_si512, _mm512_mul_epu32,
        _mm512_permutex_epi64, _mm512_permutexvar_epi64, _mm512_ror_epi64, _mm512_setr_epi64, _mm512_shuffle_i64x2,
        _mm512_store_si512, _mm512_ternarylogic_epi64, _mm512_xor_si512,
    };

    use super::avx2::prefetch;
    use super::{Block, Walk};

    pub(super) const fn place(word: usize) -> usize {
        let (row, column, half) = (word >> 4, (word >> 1) & 7, word & 1);
        let vector = ((row >> 1) << 2) | (column >> 1);
        (vector << 3) | ((row & 1) << 2) | ((column & 1) << 1) | half
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn mix(a: __m512i, b: __m512i) -> __m512i {
        let product = _mm512_mul_epu32(a, b);
        _mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(product, product))
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn xor(a: __m512i, b: __m512i) -> __m512i {
        _mm512_xor_si512(a, b)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
        _mm512_ternarylogic_epi64::<0x96>(a, b, c)
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn rotate<const BY: i32>(a: __m512i) -> __m512i {
        _mm512_ror_epi64::<BY>(a)
    }

    /// Shifts the four words of a row by one, two or three places.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn shift_row<const BY: u32>(a: __m512i) -> __m512i {
        match BY {
            1 => _mm512_permutex_epi64::<0b00_11_10_01>(a),
            2 => _mm512_permutex_epi64::<0b01_00_11_10>(a),
            _ => _mm512_permutex_epi64::<0b10_01_00_11>(a),
        }
    }

    /// Shifts the four words of a column by one, two or three places; in both columns the vector has.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn shift_column<const BY: u32>(a: __m512i) -> __m512i {
        match BY {
            1 => _mm512_permutexvar_epi64(_mm512_setr_epi64(1, 4, 3, 6, 5, 0, 7, 2), a),
            2 => _mm512_shuffle_i64x2::<0b01_00_11_10>(a, a),
            _ => _mm512_permutexvar_epi64(_mm512_setr_epi64(5, 0, 7, 2, 1, 4, 3, 6), a),
        }
    }

    macro_rules! shift {
        ($how:ident, $by:literal; $($vector:ident),+) => { $($vector = $how::<$by>($vector);)+ };
    }

    /// Names for the vectors of a block: a letter for the pair of rows, a number for the pair of columns.
    macro_rules! state {
        ($vectors:expr => $a0:ident, $a1:ident, $a2:ident, $a3:ident, $b0:ident, $b1:ident, $b2:ident, $b3:ident,
         $c0:ident, $c1:ident, $c2:ident, $c3:ident, $d0:ident, $d1:ident, $d2:ident, $d3:ident) => {
            let [
                mut $a0,
                mut $a1,
                mut $a2,
                mut $a3,
                mut $b0,
                mut $b1,
                mut $b2,
                mut $b3,
                mut $c0,
                mut $c1,
                mut $c2,
                mut $c3,
                mut $d0,
                mut $d1,
                mut $d2,
                mut $d3,
            ] = $vectors;
        };
    }

    /// The whole permutation. `early` is called with the first word of the result when it is known, which is before
    /// the rest is.
    #[target_feature(enable = "avx512f")]
    #[inline]
    #[allow(clippy::large_types_passed_by_value)] // they are registers, not memory
    fn permute(vectors: [__m512i; 16], early: impl FnOnce(u64)) -> [__m512i; 16] {
        state!(vectors => a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3);
        // Rows: their quarters are the pairs of columns.
        halves!(32, 24; (a0, a1, a2, a3), (b0, b1, b2, b3), (c0, c1, c2, c3), (d0, d1, d2, d3));
        halves!(16, 63; (a0, a1, a2, a3), (b0, b1, b2, b3), (c0, c1, c2, c3), (d0, d1, d2, d3));
        // Diagonals are usually lined up with the first quarter; with the second, the last to be known, nothing has to
        // wait for it.
        shift!(shift_row, 3; a0, b0, c0, d0);
        shift!(shift_row, 2; a3, b3, c3, d3);
        shift!(shift_row, 1; a2, b2, c2, d2);
        halves!(32, 24; (a0, a1, a2, a3), (b0, b1, b2, b3), (c0, c1, c2, c3), (d0, d1, d2, d3));
        halves!(16, 63; (a0, a1, a2, a3), (b0, b1, b2, b3), (c0, c1, c2, c3), (d0, d1, d2, d3));
        shift!(shift_row, 1; a0, b0, c0, d0);
        shift!(shift_row, 2; a3, b3, c3, d3);
        shift!(shift_row, 3; a2, b2, c2, d2);
        // Columns: their quarters are the pairs of rows.
        halves!(32, 24; (a0, b0, c0, d0), (a1, b1, c1, d1), (a2, b2, c2, d2), (a3, b3, c3, d3));
        halves!(16, 63; (a0, b0, c0, d0), (a1, b1, c1, d1), (a2, b2, c2, d2), (a3, b3, c3, d3));
        shift!(shift_column, 3; a0, a1, a2, a3);
        shift!(shift_column, 2; d0, d1, d2, d3);
        shift!(shift_column, 1; c0, c1, c2, c3);
        halves!(32, 24; (a0, b0, c0, d0), (a1, b1, c1, d1), (a2, b2, c2, d2), (a3, b3, c3, d3));
        a0 = mix(a0, b0);
        // Lane 1 is where lane 0 has been shifted to.
        early(_mm_extract_epi64::<1>(_mm512_castsi512_si128(a0)).cast_unsigned());
        a1 = mix(a1, b1);
        a2 = mix(a2, b2);
        a3 = mix(a3, b3);
        d0 = rotate::<16>(xor(d0, a0));
        d1 = rotate::<16>(xor(d1, a1));
        d2 = rotate::<16>(xor(d2, a2));
        d3 = rotate::<16>(xor(d3, a3));
        c0 = mix(c0, d0);
        c1 = mix(c1, d1);
        c2 = mix(c2, d2);
        c3 = mix(c3, d3);
        b0 = rotate::<63>(xor(b0, c0));
        b1 = rotate::<63>(xor(b1, c1));
        b2 = rotate::<63>(xor(b2, c2));
        b3 = rotate::<63>(xor(b3, c3));
        shift!(shift_column, 1; a0, a1, a2, a3);
        shift!(shift_column, 2; d0, d1, d2, d3);
        shift!(shift_column, 3; c0, c1, c2, c3);
        [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3]
    }

    /// # Safety
    ///
    /// The pointer must be valid for reading a block.
    #[target_feature(enable = "avx512f")]
    #[allow(unsafe_code)]
    #[inline]
    unsafe fn load(block: *const Block) -> [__m512i; 16] {
        // SAFETY: the caller's promise; a block has 16 vectors and is aligned.
        std::array::from_fn(|i| unsafe { _mm512_load_si512(block.cast::<__m512i>().add(i)) })
    }

    /// # Safety
    ///
    /// The pointers must be valid for the block read or written; they may be the same.
    #[target_feature(enable = "avx512f")]
    #[allow(unsafe_code)]
    pub(super) unsafe fn compress(previous: *const Block, reference: *const Block, target: *mut Block) {
        // SAFETY: the caller's promise.
        unsafe {
            step::<false>(load(previous), previous, reference, target, |_| ());
        }
    }

    /// Compresses `previous`, whose vectors are `state`, with `reference`, and returns the vectors of the result.
    ///
    /// # Safety
    ///
    /// The pointers must be valid for the block read or written; they may be the same. With `AGAIN`, `target` is read
    /// too.
    #[target_feature(enable = "avx512f")]
    #[allow(unsafe_code)]
    #[inline]
    unsafe fn step<const AGAIN: bool>(
        mut state: [__m512i; 16],
        previous: *const Block,
        reference: *const Block,
        target: *mut Block,
        early: impl FnOnce(u64),
    ) -> [__m512i; 16] {
        let (previous, reference, target): (*const __m512i, *const __m512i, *mut __m512i) =
            (previous.cast(), reference.cast(), target.cast());
        // SAFETY: the caller's promise; a block has 16 vectors and is aligned.
        unsafe {
            for (i, vector) in state.iter_mut().enumerate() {
                *vector = xor(*vector, _mm512_load_si512(reference.add(i)));
            }
            state = permute(state, |word| {
                let sum = word ^ previous.cast::<u64>().read() ^ reference.cast::<u64>().read();
                early(if AGAIN { sum ^ target.cast::<u64>().read() } else { sum });
            });
            for (i, vector) in state.iter_mut().enumerate() {
                let mut sum = xor3(*vector, _mm512_load_si512(previous.add(i)), _mm512_load_si512(reference.add(i)));
                if AGAIN {
                    sum = xor(sum, _mm512_load_si512(target.add(i)));
                }
                _mm512_store_si512(target.add(i), sum);
                *vector = sum;
            }
        }
        state
    }

    /// # Safety
    ///
    /// The blocks of the walk must be valid, all that come before it written, and nobody else's.
    #[target_feature(enable = "avx512f")]
    #[allow(unsafe_code)]
    pub(super) unsafe fn walk<const AGAIN: bool>(walk: &Walk<'_>) {
        let blocks = walk.segment.blocks.as_ptr();
        let mut previous = walk.previous();
        // SAFETY: all are blocks of the memory, the ones read written; the reference one past the end of the walk is
        // only prefetched.
        unsafe {
            let mut reference = walk.reference(walk.from, blocks.add(previous).cast::<u64>().read());
            let mut state = load(blocks.add(previous));
            for index in walk.from..walk.to {
                let target = walk.block(index);
                let mut next = 0;
                // What will be referred to is fetched as soon as it is known: a whole block ahead, or a few steps.
                if walk.addresses.is_some() {
                    prefetch(blocks.wrapping_add(walk.reference(index + 1, 0)));
                }
                let early = |word| {
                    next = walk.reference(index + 1, word);
                    if walk.addresses.is_none() {
                        prefetch(blocks.wrapping_add(next));
                    }
                };
                let (from, with, to) = (blocks.add(previous), blocks.add(reference), blocks.add(target));
                state = step::<AGAIN>(state, from, with, to, early);
                previous = target;
                reference = next;
            }
        }
    }
}

/// Bytes of the hash that everything is derived from.
const SEED_HASH: usize = 64;
/// That hash, with the column and the lane of the block it is used for.
type Seed = [u8; SEED_HASH + 8];

/// The hash of all that is given.
fn seed(cost: Cost, input: &Input<'_>, out: usize) -> Result<Seed, Error> {
    if out < MIN_OUT {
        return Err(Error::Length);
    }
    let length = |length: usize| u32::try_from(length).map(u32::to_le_bytes).map_err(|_| Error::Length);
    let mut seed = [0; SEED_HASH + 8];
    let (hash, _) = seed.split_at_mut(SEED_HASH);
    short_hash(
        &[
            &cost.lanes.to_le_bytes(),
            &length(out)?,
            &cost.memory_kib.to_le_bytes(),
            &cost.passes.to_le_bytes(),
            &VERSION.to_le_bytes(),
            &VARIANT.to_le_bytes(),
            &length(input.password.len())?,
            input.password,
            &length(input.salt.len())?,
            input.salt,
            &length(input.secret.len())?,
            input.secret,
            &length(input.data.len())?,
            input.data,
        ],
        hash,
    )?;
    Ok(seed)
}

/// `BLAKE2b` of the parts, as long as `out`, which is at most 64 bytes.
fn short_hash(parts: &[&[u8]], out: &mut [u8]) -> Result<(), Error> {
    let mut core = Blake2bVarCore::new(out.len()).map_err(|_| Error::Length)?;
    let mut buffer = LazyBuffer::default();
    for part in parts {
        buffer.digest_blocks(part, |blocks| core.update_blocks(blocks));
    }
    let mut full = Output::<Blake2bVarCore>::default();
    core.finalize_variable_core(&mut buffer, &mut full);
    for (byte, full) in out.iter_mut().zip(&full) {
        *byte = *full;
    }
    Ok(())
}

/// The hash of any length: section 3.3 of RFC 9106.
fn long_hash(input: &[u8], out: &mut [u8]) -> Result<(), Error> {
    let length = u32::try_from(out.len()).map_err(|_| Error::Length)?.to_le_bytes();
    if out.len() <= 64 {
        return short_hash(&[&length, input], out);
    }
    let mut link = [0; 64];
    short_hash(&[&length, input], &mut link)?;
    let mut rest = out;
    loop {
        let (half, _) = link.split_at(32);
        let (here, further) = rest.split_at_mut(32);
        here.copy_from_slice(half);
        rest = further;
        let last = link;
        if rest.len() <= 64 {
            short_hash(&[&last], rest)?;
            break;
        }
        short_hash(&[&last], &mut link)?;
    }
    wipe(&mut link);
    Ok(())
}

/// Overwrites what an attacker could test guesses against. Best effort: copies in registers or made by a move stay.
#[allow(unsafe_code)]
fn wipe(bytes: &mut [u8]) {
    for byte in bytes {
        // SAFETY: the pointer comes from a reference. Volatile, lest the compiler leave out the last write.
        unsafe { std::ptr::from_mut(byte).write_volatile(0) };
    }
}

/// As [`wipe`], a block.
#[allow(unsafe_code)]
fn wipe_block(block: &mut Block) {
    // SAFETY: as in `wipe`.
    unsafe { std::ptr::from_mut(block).write_volatile(Block::ZERO) };
}

#[cfg(test)]
mod tests;
