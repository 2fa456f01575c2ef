//! Checks on the machine, before the database is opened: configuration, certificate, data folder,
//! disk and master key.

use std::path::Path;
use std::time::Duration;

use tillgate_domain::Instant;

use crate::command::CommandError;
use crate::command::doctor::finding::Finding;
use crate::command::json::format_instant;
use crate::configuration::Settings;
use crate::{composition, disk, exposure, logging, master_key, secret_files, tls};

/// How long before its expiry a certificate should have been renewed. ACME clients renew it about
/// 30 days before.
const RENEWAL_MARGIN: Duration = Duration::from_hours(14 * 24);

/// The minimum free space of a disk, in bytes.
const MIN_FREE_BYTES: u64 = 100_000_000;

/// Whether the server would start with these settings, as far as they alone decide that.
pub(super) fn check_configuration(settings: &Settings) -> Finding {
    const CHECK: &str = "configuration";
    let refusals = [
        (exposure::check_exposure(settings).err().map(CommandError::failed), "set up one of the two"),
        (composition::build_mounts(settings).err(), "mount one of the two at another prefix or host"),
        (logging::check_log_settings(settings).err(), "correct the setting"),
        (composition::build_password_policy(settings).err(), "correct the setting or the file"),
    ];
    match refusals.into_iter().find_map(|(error, remedy)| Some((error?, remedy))) {
        Some((error, remedy)) => Finding::problem(CHECK, format!("serve would refuse to start: {error}"), remedy),
        None => Finding::ok(CHECK, format!("serve would listen on {}", settings.server.listen)),
    }
}

/// The certificate, if one is configured.
pub(super) fn check_certificate(settings: &Settings, now: Instant) -> Option<Finding> {
    const CHECK: &str = "certificate";
    let renew = "renew the certificate: the server reloads the files automatically";
    match tls::load_certificate(settings) {
        Ok(None) => None,
        Err(stop) => Some(Finding::problem(
            CHECK,
            stop.to_string(),
            "set server.tls_cert and server.tls_key to a certificate chain and its private key (PEM)",
        )),
        Ok(Some(certificate)) => {
            let expires = certificate.expires();
            Some(match expires.duration_since(now) {
                Duration::ZERO => Finding::problem(CHECK, format!("expired on {}", format_instant(expires)), renew),
                left if left < RENEWAL_MARGIN => {
                    Finding::problem(CHECK, format!("expires on {}", format_instant(expires)), renew)
                }
                _ => Finding::ok(CHECK, format!("expires on {}", format_instant(expires))),
            })
        }
    }
}

/// The address in the links of mails, if it is set or mail is configured.
pub(super) fn check_public_url(settings: &Settings) -> Option<Finding> {
    const CHECK: &str = "public address";
    match (&settings.server.public_url, &settings.mail.host) {
        (Some(url), _) => Some(Finding::ok(CHECK, format!("links in mails begin with {}", url.as_str()))),
        (None, None) => None,
        (None, Some(host)) => Some(Finding::problem(
            CHECK,
            format!("mail is sent through {host}, but not with links, because server.public_url is not set"),
            "set server.public_url to the address at which people reach the server, such as https://pos.example",
        )),
    }
}

/// The free space on the disk that the server writes to; `None` if it is unknown.
pub(super) fn check_disk(settings: &Settings) -> Option<Finding> {
    let folder = disk::data_folder(settings);
    disk::free_bytes(&folder).ok().map(|free| check_free_bytes(&folder, free))
}

fn check_free_bytes(folder: &Path, free: u64) -> Finding {
    const CHECK: &str = "disk";
    let found = format!("{} MB free at {}", free / 1_000_000, folder.display());
    if free < MIN_FREE_BYTES {
        Finding::problem(CHECK, found, "free some space: on a full disk nobody can log in")
    } else {
        Finding::ok(CHECK, found)
    }
}

pub(super) fn check_data_folder(settings: &Settings) -> Finding {
    const CHECK: &str = "data folder";
    let data = settings.server.data.as_path();
    match std::fs::metadata(data) {
        Err(error) => Finding::problem(
            CHECK,
            format!("{}: {error}", data.display()),
            "set the folder with --data; for a new installation, create it once",
        )
        .with_command(settings, "init"),
        Ok(found) if !found.is_dir() => {
            Finding::problem(CHECK, format!("{} is not a folder", data.display()), "set a folder with --data")
        }
        Ok(found) if master_key::is_readable_by_others(&found) => Finding::problem(
            CHECK,
            format!("{} is accessible to other users of this machine", data.display()),
            format!("chmod 700 '{}'", data.display()),
        ),
        Ok(_) => Finding::ok(CHECK, data.display().to_string()),
    }
}

pub(super) fn check_master_key(settings: &Settings) -> Finding {
    const CHECK: &str = "master key";
    match (master_key::find_master_key(settings), master_key::master_key_source(settings)) {
        (Err(stop), _) => {
            Finding::problem(CHECK, stop.to_string(), "restore the key with which the database was created")
        }
        (Ok(None), _) if composition::has_database(settings).unwrap_or(true) => Finding::problem(
            CHECK,
            "there is no master key",
            "restore the key from its backup; without a backup, follow \"A lost master key\" in docs/backup.md",
        ),
        (Ok(None), _) => Finding::problem(
            CHECK,
            "there is no master key",
            "restore the key from its backup; for a new installation, create it once",
        )
        .with_command(settings, "init"),
        (Ok(Some(_)), master_key::MasterKeySource::Setting) => Finding::ok(CHECK, "set by keys.master"),
        (Ok(Some(_)), master_key::MasterKeySource::File(path)) => match std::fs::metadata(&path) {
            Ok(found) if master_key::is_readable_by_others(&found) => Finding::problem(
                CHECK,
                format!("{} can be read by other users of this machine", path.display()),
                format!("chmod 600 '{}'", path.display()),
            ),
            _ => Finding::ok(CHECK, path.display().to_string()),
        },
    }
}

/// The other files with secrets, if settings name any.
pub(super) fn check_secret_files(settings: &Settings) -> Option<Finding> {
    const CHECK: &str = "secrets";
    let files = secret_files::list_secret_files(settings);
    let open: Vec<_> = files.iter().filter(|file| secret_files::can_others_read(file)).collect();
    let (texts, paths): (Vec<String>, Vec<String>) = open
        .iter()
        .map(|file| {
            let path = file.path.display();
            (format!("{path} ({}) can be read by other users of this machine", file.key), format!("'{path}'"))
        })
        .unzip();
    if !texts.is_empty() {
        let remedy = format!("chmod 600 {}, with the user of the server as the owner", paths.join(" "));
        return Some(Finding::problem(CHECK, texts.join("; "), remedy));
    }
    let named: Vec<String> = files.iter().map(|file| format!("{} ({})", file.path.display(), file.key)).collect();
    (!named.is_empty()).then(|| Finding::ok(CHECK, named.join(", ")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tillgate_testkit::TestFolder;

    use crate::command::doctor::finding::Finding;
    use crate::configuration::{Flags, load_settings};

    #[test]
    fn disk_with_less_than_100_mb_is_a_problem() {
        let check = |free| super::check_free_bytes(Path::new("/shop"), free);
        let full = check(99_999_999).to_line();
        assert!(full.starts_with("FIX   disk: 99 MB free at /shop\n      free some space"), "{full}");
        assert_eq!(check(100_000_000), Finding::ok("disk", "100 MB free at /shop"));
    }

    #[test]
    fn mail_requires_a_public_url() {
        let find = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let flags = Flags { data: Some("/nowhere/at/all".into()), ..Flags::default() };
            super::check_public_url(&load_settings(&flags, &pairs).unwrap())
        };
        let (host, url) =
            (("TILLGATE_MAIL__HOST", "smtp.example"), ("TILLGATE_SERVER__PUBLIC_URL", "https://pos.example"));
        assert_eq!(find(&[]), None);
        assert!(find(&[host]).unwrap().to_line().contains("set server.public_url"));
        assert!(find(&[host, url]).unwrap().is_ok() && find(&[url]).unwrap().is_ok());
    }

    #[test]
    fn every_problem_has_a_remedy() {
        let parent = TestFolder::new();
        let folder = parent.join("data");
        let flags = Flags { data: Some(folder.clone()), ..Flags::default() };
        let settings = load_settings(&flags, &[]).unwrap();
        let missing = super::check_data_folder(&settings).to_line();
        assert!(missing.ends_with(&format!("create it once: tillgate init --data {}", folder.display())), "{missing}");
        std::fs::create_dir(&folder).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
            assert!(super::check_data_folder(&settings).to_line().contains("chmod 700"));
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        assert!(super::check_data_folder(&settings).is_ok());
    }
}
