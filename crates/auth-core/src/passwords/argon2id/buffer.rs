//! The memory in which an Argon2id hash is computed.

use argon2::Block;
use zeroize::Zeroize;

use super::HashError;

/// The smallest capacity in blocks: 33 MiB of address space, of which only what a hash uses becomes
/// resident. glibc serves an allocation of more than 32 MiB by a mapping of its own and returns it
/// to the system when it is freed; a smaller one may stay in the heap for good.
const MIN_CAPACITY: usize = (33 << 20) / Block::SIZE;

/// Memory for one hash at a time. It is reused, because new pages from the system take a part of
/// the time of a hash. It is empty until the first use, and wiped when dropped: a password could be
/// tested against what a hash leaves in memory.
#[derive(Default)]
pub(super) struct Buffer(Vec<Block>);

impl Buffer {
    /// Returns at least this many blocks, with whatever an earlier hash left in them.
    ///
    /// # Errors
    ///
    /// [`HashError::NoMemory`] if the allocation fails.
    pub(super) fn blocks(&mut self, count: usize) -> Result<&mut [Block], HashError> {
        if self.0.capacity() < count {
            // Replaced, not grown: growing would move the blocks and free the old ones without
            // wiping them.
            *self = Self::default();
            self.0.try_reserve_exact(count.max(MIN_CAPACITY)).map_err(|_| HashError::NoMemory)?;
        }
        if self.0.len() < count {
            self.0.resize(count, Block::new());
        }
        Ok(&mut self.0)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // The slice, not the vector, which would also write to reserved pages that no hash has
        // used.
        self.0.iter_mut().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffer_serves_smaller_and_larger_hashes_from_one_allocation() {
        let mut buffer = Buffer::default();
        assert_eq!(buffer.0.capacity(), 0, "nothing is allocated before the first use");
        let start = buffer.blocks(64).unwrap().as_ptr();
        assert_eq!((buffer.0.len(), buffer.0.capacity()), (64, MIN_CAPACITY), "what no hash needs is never written");
        for count in [8, 64, 4096, MIN_CAPACITY] {
            let blocks = buffer.blocks(count).unwrap();
            assert!(blocks.len() >= count);
            assert_eq!(blocks.as_ptr(), start, "{count}");
        }
    }

    #[test]
    fn buffer_that_is_too_small_is_replaced_and_its_content_not_copied() {
        let mut buffer = Buffer::default();
        buffer.blocks(8).unwrap()[0].as_mut()[0] = 1;
        let blocks = buffer.blocks(MIN_CAPACITY + 1).unwrap();
        assert_eq!((blocks.len(), blocks[0].as_ref()[0]), (MIN_CAPACITY + 1, 0));
    }

    #[test]
    fn refused_allocation_is_reported_and_buffer_stays_usable() {
        let mut buffer = Buffer::default();
        buffer.blocks(8).unwrap();
        for impossible in [1 << 40, usize::MAX] {
            assert_eq!(buffer.blocks(impossible).err(), Some(HashError::NoMemory));
        }
        assert_eq!(buffer.blocks(8).unwrap().len(), 8);
    }
}
