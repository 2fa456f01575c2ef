//! The file with the newest seal of the audit log. It is outside the database, so that somebody who
//! removes events from the end of the chain in the database cannot also remove the proof.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tillgate_auth_core::entropy::Entropy;
use tillgate_auth_core::ports::AuthPorts;
use tillgate_auth_core::system::SystemEntropy;
use tillgate_domain::Instant;
use tillgate_domain::audit::seal::Seal;
use tillgate_domain::{Store, StoreExt, StoreResult, hex, office};
use tillgate_persistence::Database;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::failure::SealingFailure;
use crate::command::json::format_instant;
use crate::configuration::Settings;

/// The default name of the file, in the data folder.
const FILE_NAME: &str = "audit.seal";

/// The path of a seal file, with the texts of errors about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealFile {
    path: PathBuf,
    /// The flags that select the installation, repeated in hints.
    flags: String,
}

/// A seal as kept in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredSeal {
    /// The id of the database to which the seal belongs.
    pub(crate) instance: Uuid,
    /// The number and hash of the sealed event.
    pub(crate) seal: Seal,
    /// When the seal was written to the file.
    pub(crate) at: Instant,
}

/// The content of the file, or of a document of `audit verify`.
#[derive(Debug, Deserialize)]
struct SealFileText {
    instance: Uuid,
    sequence: i64,
    hash: String,
    at: SealTime,
}

/// When a seal was written: in milliseconds since 1970 in the file, in RFC 3339 in a document.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum SealTime {
    Millis(i64),
    Text(String),
}

impl SealTime {
    fn to_instant(&self) -> Option<Instant> {
        let millis = match self {
            Self::Millis(millis) => *millis,
            Self::Text(text) => {
                let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
                i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()?
            }
        };
        Some(Instant::from_millis(millis))
    }
}

impl StoredSeal {
    /// The seal as in the file: one line of JSON.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        self.with_time(&self.at.millis())
    }

    /// The seal in a document for programs, with its time in RFC 3339.
    pub(crate) fn to_document(&self) -> serde_json::Value {
        self.with_time(&format_instant(self.at))
    }

    fn with_time(&self, at: &impl Serialize) -> serde_json::Value {
        serde_json::json!({
            "instance": self.instance,
            "sequence": self.seal.sequence,
            "hash": hex::encode(&self.seal.hash),
            "at": at,
        })
    }

    /// Parses a seal as in the file, or the output of `audit verify --json`, whose member `seal` is
    /// one.
    fn parse(text: &str) -> Option<Self> {
        let document = serde_json::from_str::<serde_json::Value>(text).ok()?;
        let seal = document.get("seal").unwrap_or(&document);
        let SealFileText { instance, sequence, hash, at } = SealFileText::deserialize(seal).ok()?;
        Some(Self { instance, seal: Seal { sequence, hash: hex::decode(&hash)? }, at: at.to_instant()? })
    }
}

impl SealFile {
    /// The seal file of this installation.
    pub(crate) fn from_settings(settings: &Settings) -> Self {
        let named = settings.audit.seal.as_deref().unwrap_or(Path::new(FILE_NAME));
        Self { path: settings.server.data.join(named), flags: settings.flags.clone() }
    }

    /// The seal file at this path.
    pub(crate) fn from_path(path: &Path) -> Self {
        Self { path: path.to_owned(), flags: String::new() }
    }

    /// Omits the command-line flags, which contain paths, from the hints.
    pub(crate) fn without_flags(self) -> Self {
        Self { flags: String::new(), ..self }
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the seal; `None` if there is no file.
    pub(crate) fn read(&self) -> Result<Option<StoredSeal>, String> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => match StoredSeal::parse(&text) {
                Some(stored) => Ok(Some(stored)),
                None => Err(format!("{}: this is not a seal; restore the file from its backup", self.path.display())),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.write_error(&error)),
        }
    }

    /// Writes the seal of the empty chain for the database of a new installation, if no event is
    /// sealed yet and there is no file. Only `init` and `demo` call it, if they have created the
    /// database. Later, a missing file was either removed or the folder is new to the database;
    /// [`SealFile::missing_text`] reports that.
    pub(crate) fn create_if_missing(&self, database: &Database, at: Instant) -> Result<(), SealingFailure> {
        if self.read()?.is_some() {
            return Ok(());
        }
        let (_, newest) = office::unguarded::count_unsealed_audit(database, 1)?;
        if newest == Seal::default() {
            self.write(&StoredSeal { instance: read_instance_id(database)?, seal: newest, at })?;
        }
        Ok(())
    }

    /// Replaces the seal atomically; only the server's user can read the file.
    pub(crate) fn write(&self, stored: &StoredSeal) -> Result<(), String> {
        let entropy: &dyn Entropy = &SystemEntropy::new();
        let number = u64::from_be_bytes(entropy.random_bytes().map_err(|error| error.to_string())?);
        let draft = self.path.with_extension(format!("draft-{number:016x}"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&draft).and_then(|mut file| {
            writeln!(file, "{}", stored.to_json())?;
            file.sync_all()
        });
        let placed = written.and_then(|()| std::fs::rename(&draft, &self.path));
        if placed.is_err() {
            // nothing more can be done about a leftover draft
            let _ = std::fs::remove_file(&draft);
        }
        placed.map_err(|error| self.write_error(&error))
    }

    /// Renames the file to a name with its time and writes another seal in its place. Returns the
    /// new name of the old file, or `None` if there was no file.
    pub(crate) fn replace(&self, with: &StoredSeal) -> Result<Option<PathBuf>, String> {
        let Some(stored) = self.read()? else { return self.write(with).map(|()| None) };
        let aside = self.path.with_extension(format!("seal.before-{}", stored.at.millis()));
        std::fs::rename(&self.path, &aside).map_err(|error| self.write_error(&error))?;
        self.write(with).map(|()| Some(aside))
    }

    /// The command that declares that the database was restored.
    pub(crate) fn restored_hint(&self) -> String {
        format!("tillgate doctor --restored{}", self.flags)
    }

    /// The error if the chain does not contain the seal in the file.
    pub(crate) fn broken_text(&self, stored: &StoredSeal) -> String {
        format!(
            "the audit log no longer contains event {} as it was sealed at {} ({}): its end was removed, it was \
             rewritten, or the database was restored from a backup. For details run tillgate audit verify{}; if it \
             was restored, run {}",
            stored.seal.sequence,
            format_instant(stored.at),
            self.path.display(),
            self.flags,
            self.restored_hint()
        )
    }

    /// The error if the seal in the file belongs to another database.
    pub(crate) fn foreign_text(&self) -> String {
        format!(
            "{} is the seal of another database. If this database is the right one, run tillgate audit reseal --yes{}",
            self.path.display(),
            self.flags
        )
    }

    /// The error if there is no file.
    pub(crate) fn missing_text(&self) -> String {
        format!(
            "{} is missing: events removed from the end of the audit log would not be detected. Restore the file from \
             its backup. If there is none, or the folder is new to the database, run tillgate audit reseal --yes{}",
            self.path.display(),
            self.flags
        )
    }

    fn write_error(&self, error: &std::io::Error) -> String {
        format!("{}: {error}", self.path.display())
    }
}

/// Reads the id of the database.
pub(crate) fn read_instance_id(database: &Database) -> StoreResult<Uuid> {
    let store: &dyn Store<AuthPorts> = database;
    Ok(store.read("find_instance", |tx| tx.instances().find())?.id)
}

#[cfg(test)]
mod tests {
    use tillgate_testkit::TestFolder;

    use super::*;

    fn seal_file_in(folder: &TestFolder) -> SealFile {
        SealFile::from_path(&folder.join(FILE_NAME))
    }

    fn test_seal(sequence: i64) -> StoredSeal {
        let seal = Seal { sequence, hash: vec![1, 0xab, 0] };
        StoredSeal { instance: Uuid::from_u128(7), seal, at: Instant::from_millis(1_800_000_000_000) }
    }

    #[test]
    fn document_of_a_verification_contains_the_seal() {
        let folder = TestFolder::new();
        let outside = seal_file_in(&folder);
        for seal in [test_seal(7).to_json(), test_seal(7).to_document()] {
            let document = serde_json::json!({ "whole": true, "lines": 7, "seal": seal, "fault": null });
            for text in [&document, &document["seal"]] {
                std::fs::write(outside.path(), text.to_string()).unwrap();
                assert_eq!(outside.read(), Ok(Some(test_seal(7))), "{text}");
            }
        }
        std::fs::write(outside.path(), "{ \"seal\": 7 }").unwrap();
        assert!(outside.read().unwrap_err().contains("is not a seal"));
    }

    #[test]
    fn seal_is_read_back_and_replaces_its_predecessor() {
        let folder = TestFolder::new();
        let outside = seal_file_in(&folder);
        assert_eq!(outside.read(), Ok(None));
        for sequence in [1, 2] {
            outside.write(&test_seal(sequence)).unwrap();
            assert_eq!(outside.read(), Ok(Some(test_seal(sequence))));
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no draft stays behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(outside.path()).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let aside = outside.replace(&test_seal(3)).unwrap().unwrap();
        assert_eq!(outside.read(), Ok(Some(test_seal(3))));
        assert_eq!(SealFile::from_path(&aside).read(), Ok(Some(test_seal(2))));
    }

    #[test]
    fn foreign_file_is_not_overwritten() {
        const WITHOUT_TIME: &str =
            r#"{"instance":"00000000-0000-0000-0000-000000000007","sequence":1,"hash":"00","at":"soon"}"#;
        let folder = TestFolder::new();
        let outside = seal_file_in(&folder);
        for text in ["", "{}", "{\"instance\":\"x\",\"sequence\":1,\"hash\":\"0\",\"at\":1}", WITHOUT_TIME] {
            std::fs::write(outside.path(), text).unwrap();
            assert!(outside.read().unwrap_err().contains("not a seal"), "{text}");
            assert!(outside.replace(&test_seal(1)).is_err());
        }
    }
}
