//! The first administrator: the hint that a server and `init` print while there is no user, and the
//! one-time token for the set-up in the browser.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use tillgate_auth_core::one_time_token::{OneTimeToken, digest_typed_token};
use tillgate_domain::office::{self, OfficePorts};
use tillgate_domain::{Secret, Store};

use crate::command::CommandError;
use crate::configuration::Settings;
use crate::ids::IdSource;

/// How to create the first administrator of this installation on the command line.
pub(crate) fn first_admin_hint(settings: &Settings) -> String {
    format!(
        "There is no user yet. Create the first admin (you are asked for a password of at least 8 characters):\n  {}",
        settings.command("user add admin --role admin")
    )
}

/// Prepares the set-up in the browser while there is no user: draws a token, unless the file has
/// the current one. Returns the line to print, which contains the token on a terminal only.
///
/// A failure is logged, because the first administrator can also be created on the command line.
pub(crate) fn prepare_set_up(
    settings: &Settings,
    store: &dyn Store<OfficePorts>,
    url: &str,
    json: bool,
) -> Option<String> {
    let page = set_up_page(settings, url)?;
    let on_terminal = std::io::stdout().is_terminal() && !json;
    let prepared =
        if on_terminal { show_token(settings, store, &page) } else { keep_token_in_file(settings, store, &page) };
    match prepared {
        Ok(line) => Some(line),
        Err(error) => {
            tracing::warn!(%error, "the set-up of the first administrator in the browser is not possible");
            None
        }
    }
}

/// Removes the file with the token of an earlier start, once a user exists.
pub(crate) fn remove_token_file(settings: &Settings) {
    let path = token_file(&settings.server.data);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(file = %path.display(), %error, "the file with the used set-up token cannot be removed");
        }
        _ => {}
    }
}

/// The address of the set-up page, under `server.public_url` if that is set; `None` if the server
/// has no back office whose address is known.
pub(crate) fn set_up_page(settings: &Settings, url: &str) -> Option<String> {
    let mount = settings.mounts.iter().find(|mount| mount.dialect == "office" && mount.host.is_none())?;
    let url = match &settings.server.public_url {
        Some(public) => public.as_str().to_owned(),
        // a browser on this machine cannot open the address of all interfaces
        None => url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:"),
    };
    Some(format!("{url}{}/set-up", mount.prefix))
}

/// Draws a token, which replaces the previous one. Fails if a user exists.
pub(crate) fn draw_token(store: &dyn Store<OfficePorts>) -> Result<Secret<String>, CommandError> {
    let ids = IdSource::default();
    let OneTimeToken { token, digest } = OneTimeToken::new_typed_token(&ids.random_bytes()?);
    if !office::unguarded::put_setup_token(store, &digest, ids.now()).map_err(CommandError::failed)? {
        return Err(CommandError::failed(
            "a user exists already: the first administrator can be set up only once; add others with tillgate user add",
        ));
    }
    Ok(token)
}

/// The line with the address that contains the token in its fragment, which no server logs.
pub(crate) fn link_line(page: &str, token: &Secret<String>) -> String {
    format!("Open {page}#{}", token.expose())
}

fn show_token(settings: &Settings, store: &dyn Store<OfficePorts>, page: &str) -> Result<String, CommandError> {
    let token = draw_token(store)?;
    remove_token_file(settings);
    Ok(link_line(page, &token))
}

fn keep_token_in_file(settings: &Settings, store: &dyn Store<OfficePorts>, page: &str) -> Result<String, CommandError> {
    let path = token_file(&settings.server.data);
    let current = office::unguarded::find_setup_token(store).map_err(CommandError::failed)?;
    let kept = std::fs::read_to_string(&path).map(Secret::new).ok();
    let is_current = kept.is_some_and(|kept| current == Some(digest_typed_token(kept.expose())));
    if !is_current {
        write_private(&path, &draw_token(store)?)?;
    }
    tracing::info!(file = %path.display(), page, "the token for the set-up of the first administrator is in a file");
    Ok(format!("Or open {page} in a browser; the set-up token is in {}", path.display()))
}

fn token_file(data: &Path) -> PathBuf {
    data.join("setup-token")
}

/// Writes the token to a file that its owner alone can read.
fn write_private(path: &Path, token: &Secret<String>) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| CommandError::failed(format!("{}: {error}", path.display()));
    let draft = path.with_extension("draft");
    // a draft that is left over may be readable by others
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft).map_err(failed)?;
    writeln!(file, "{}", token.expose()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&draft, path).map_err(failed)
}
