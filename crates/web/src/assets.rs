//! The files of the app, compiled into the program.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use ring::digest::{SHA256, digest as hash};

use crate::page_language::PageLanguage;

/// A file of the app.
#[derive(Debug)]
pub struct Asset {
    /// Path below `<prefix>/a/<digest>/`, without a leading slash.
    pub path: Cow<'static, str>,
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// The content of the file.
    pub bytes: Cow<'static, [u8]>,
    /// A strong entity tag of the content, with its quotation marks.
    pub etag: String,
    gzip: OnceLock<Vec<u8>>,
}

impl Asset {
    fn new(path: impl Into<Cow<'static, str>>, bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        let (path, bytes) = (path.into(), bytes.into());
        let content_type = content_type_of(&path);
        let etag = format!("\"{}\"", short_hash(&bytes));
        Self { path, content_type, bytes, etag, gzip: OnceLock::new() }
    }

    /// Returns the content compressed with gzip. It is compressed once.
    pub fn gzip(&self) -> &[u8] {
        self.gzip.get_or_init(|| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            // a vector accepts every write
            let _ = encoder.write_all(&self.bytes);
            encoder.finish().unwrap_or_default()
        })
    }
}

/// Lists paths below `app/` with the contents of the files.
macro_rules! files {
    ($($path:literal,)*) => {
        &[$(($path, include_bytes!(concat!("../app/", $path)).as_slice()),)*]
    };
}

/// The style sheets, in the order in which they are joined into `app.css`.
const STYLES: &[(&str, &[u8])] = files! {
    "styles/tokens.css",
    "styles/base.css",
    "styles/layout.css",
    "styles/table.css",
    "styles/form.css",
    "styles/dialog.css",
    "styles/pages.css",
    "styles/forced-colors.css",
    "styles/print.css",
};

/// The other files of the app, as they are served.
const FILES: &[(&str, &[u8])] = files! {
    "favicon.svg",
    "icons.svg",
    "src/actions/api-keys.js",
    "src/actions/devices.js",
    "src/actions/exports.js",
    "src/actions/machines.js",
    "src/actions/passwords.js",
    "src/actions/roles.js",
    "src/actions/sessions.js",
    "src/actions/shop.js",
    "src/actions/users.js",
    "src/api.js",
    "src/base.js",
    "src/components/conflict.js",
    "src/components/detail.js",
    "src/components/dialog.js",
    "src/components/fields.js",
    "src/components/form.js",
    "src/components/help.js",
    "src/components/layout.js",
    "src/components/lazy.js",
    "src/components/list-page.js",
    "src/components/list.js",
    "src/components/menu.js",
    "src/components/panel.js",
    "src/components/search-all.js",
    "src/components/sign-in.js",
    "src/components/small.js",
    "src/components/table.js",
    "src/components/toast.js",
    "src/components/values.js",
    "src/core.js",
    "src/directory.js",
    "src/i18n.js",
    "src/live.js",
    "src/main.js",
    "src/pages/access-matrix.js",
    "src/pages/api-keys.js",
    "src/pages/audit.js",
    "src/pages/board.js",
    "src/pages/device-card.js",
    "src/pages/device-key.js",
    "src/pages/device-panel.js",
    "src/pages/devices.js",
    "src/pages/event-panel.js",
    "src/pages/enroll.js",
    "src/pages/events.js",
    "src/pages/menus.js",
    "src/pages/people.js",
    "src/pages/person-panel.js",
    "src/pages/profile.js",
    "src/pages/rights-matrix.js",
    "src/pages/roles.js",
    "src/pages/seal.js",
    "src/pages/session-panel.js",
    "src/pages/session-row.js",
    "src/pages/sessions.js",
    "src/pages/settings.js",
    "src/pages/stores.js",
    "src/pages/ticket-panel.js",
    "src/pages/ticket-words.js",
    "src/pages/tickets.js",
    "src/pages/tills.js",
    "src/pages/user-state.js",
    "src/prefs.js",
    "src/rights.js",
    "src/router.js",
    "src/session.js",
    "src/shop.js",
    "src/shortcuts.js",
    "src/time.js",
    "src/token.js",
    "src/view.js",
    "vendor/LICENSE-lit-html",
    "vendor/lit-html/directive-helpers.js",
    "vendor/lit-html/directive.js",
    "vendor/lit-html/directives/live.js",
    "vendor/lit-html/directives/repeat.js",
    "vendor/lit-html/lit-html.js",
};

/// Returns all files of the app.
pub fn assets() -> &'static [Asset] {
    static ASSETS: OnceLock<Vec<Asset>> = OnceLock::new();
    ASSETS.get_or_init(|| {
        let mut style = Vec::new();
        for (_, part) in STYLES {
            style.extend_from_slice(part);
        }
        let catalogs = PageLanguage::ALL.into_iter().flat_map(|language| {
            let tag = language.tag();
            [
                Asset::new(format!("locales/{tag}.json"), language.catalog_json().as_bytes()),
                Asset::new(format!("locales/errors/{tag}.json"), language.errors_json().as_bytes()),
            ]
        });
        let mut all: Vec<Asset> = FILES.iter().map(|(path, bytes)| Asset::new(*path, *bytes)).collect();
        all.push(Asset::new("app.css", style));
        all.extend(catalogs);
        all
    })
}

/// Finds the file at `path` below `<prefix>/a/<digest>/`.
pub fn find_asset(path: &str) -> Option<&'static Asset> {
    assets().iter().find(|asset| asset.path == path)
}

/// The digest of all files. It is part of the address of each file, so that a page never mixes
/// files of two versions.
pub fn digest() -> &'static str {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(|| {
        let mut all = Vec::new();
        for asset in assets() {
            all.extend_from_slice(asset.path.as_bytes());
            all.extend_from_slice(asset.etag.as_bytes());
        }
        short_hash(&all)
    })
}

/// Returns the first 96 bits of the SHA-256 of `bytes`, in hexadecimal digits.
pub(crate) fn short_hash(bytes: &[u8]) -> String {
    hash(&SHA256, bytes).as_ref().iter().take(12).fold(String::new(), |mut text, byte| {
        // a string accepts every write
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn content_type_of(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests;
