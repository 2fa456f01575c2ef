//! A list of passwords that may not be set, in addition to the built-in one, such as breached
//! passwords.
//!
//! Eight bytes of a digest are kept for each password, so a million passwords take 8 MB. The
//! digests are not secret and protect nothing.

use std::fmt;
use std::io::{self, BufRead};

use ring::digest::{SHA256, digest};

use super::{MIN_PASSWORD_CHARS, to_comparable};

/// The greatest size of a list, in bytes: 64 MiB, about seven million passwords, which take 56 MB
/// of memory.
pub const MAX_LIST_BYTES: u64 = 64 << 20;

/// The greatest length of a line, in bytes; more than any password that may be set.
const MAX_LINE_BYTES: usize = 4096;

/// Why a list cannot be used, in words that continue its file name.
#[derive(Debug, thiserror::Error)]
pub enum PasswordListError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The file is larger than [`MAX_LIST_BYTES`].
    #[error("is larger than {} MiB; use a shorter list", MAX_LIST_BYTES >> 20)]
    TooLarge,
    /// This line is not valid UTF-8.
    #[error("has no UTF-8 text in line {0}; convert the file, or remove the line")]
    NotText(usize),
    /// The file contains no password that could be set otherwise.
    #[error("has no password of {MIN_PASSWORD_CHARS} characters or more; write one password on each line")]
    Empty,
}

/// Passwords that may not be set.
pub struct PasswordList {
    /// The first eight bytes of each digest, sorted.
    digests: Vec<u64>,
}

impl PasswordList {
    /// Parses a list with one password per line, in UTF-8. Passwords that are too short to be set
    /// are skipped.
    ///
    /// # Errors
    ///
    /// [`PasswordListError`] if the list cannot be read, is too large, is not text or contains no
    /// password.
    pub fn parse(mut from: impl BufRead) -> Result<Self, PasswordListError> {
        let (mut digests, mut line, mut size) = (Vec::new(), Vec::new(), 0_u64);
        for number in 1_usize.. {
            line.clear();
            let read = io::Read::take(&mut from, MAX_LIST_BYTES - size + 1).read_until(b'\n', &mut line)?;
            if read == 0 {
                break;
            }
            size = size.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            if size > MAX_LIST_BYTES {
                return Err(PasswordListError::TooLarge);
            }
            if line.len() > MAX_LINE_BYTES {
                continue;
            }
            let text = std::str::from_utf8(&line).map_err(|_| PasswordListError::NotText(number))?;
            let password = to_comparable(text.trim_end_matches(['\r', '\n']).trim_start_matches('\u{feff}'));
            if password.chars().count() >= MIN_PASSWORD_CHARS {
                digests.push(digest_prefix(&password));
            }
        }
        digests.sort_unstable();
        digests.dedup();
        digests.shrink_to_fit();
        if digests.is_empty() { Err(PasswordListError::Empty) } else { Ok(Self { digests }) }
    }

    /// The number of passwords in the list.
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// Whether the list is empty, which no parsed list is.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// Whether the list contains a password, in the form of comparison.
    pub(super) fn contains(&self, compared: &str) -> bool {
        self.digests.binary_search(&digest_prefix(compared)).is_ok()
    }
}

impl fmt::Debug for PasswordList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordList").field("len", &self.len()).finish()
    }
}

fn digest_prefix(text: &str) -> u64 {
    let digest = digest(&SHA256, text.as_bytes());
    digest.as_ref().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_list_has_one_password_per_line() {
        let list = PasswordList::parse("\u{feff}rosebud-77\r\nshort\n\nRoseBud-77\nžltý-kôň-1".as_bytes()).unwrap();
        assert_eq!(list.len(), 2);
        for on_it in ["rosebud-77", "žltý-kôň-1"] {
            assert!(list.contains(&to_comparable(on_it)), "{on_it}");
        }
        assert!(!list.contains("short") && !list.contains("rosebud-78") && !list.is_empty());
    }

    #[test]
    fn invalid_password_list_reports_reason() {
        let said = |bytes: &[u8]| PasswordList::parse(bytes).unwrap_err().to_string();
        assert!(said(b"long-enough\n\xff\xfe\n").contains("line 2"));
        assert!(said(b"short\n").contains("8 characters"));
        assert!(said(b"").contains("8 characters"));
        let endless = io::BufReader::with_capacity(1 << 20, io::repeat(b'a'));
        assert!(matches!(PasswordList::parse(endless), Err(PasswordListError::TooLarge)));
    }
}
