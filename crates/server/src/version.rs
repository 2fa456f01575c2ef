//! The version of this program: its number, the commit it was built from, and its components.

use std::fmt::Write as _;
use std::sync::LazyLock;

/// The version with the details that a bug report needs: `0.1.0 (05a1634, 2026-11-21; SQLite
/// 3.53.2; libpq 18.6 without TLS)`.
pub(crate) static VERSION: LazyLock<String> = LazyLock::new(|| describe_version(env!("SOURCE_COMMIT")));

fn describe_version(commit: &str) -> String {
    let mut text = format!("{} (", env!("CARGO_PKG_VERSION"));
    if !commit.is_empty() {
        text += commit;
        text += "; ";
    }
    let tls = if cfg!(feature = "postgres-tls") { "with TLS" } else { "without TLS" };
    let (sqlite, libpq) = (tillgate_persistence::sqlite_version(), env!("LIBPQ_VERSION"));
    // writing to a String cannot fail
    let _ = write!(text, "SQLite {sqlite}; libpq {libpq} {tls}");
    if cfg!(feature = "otlp") {
        text += "; traces";
    }
    text + ")"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_names_its_components() {
        let text = VERSION.as_str();
        assert!(text.starts_with(concat!(env!("CARGO_PKG_VERSION"), " (")), "{text}");
        let with_commit = describe_version("05a1634, 2026-11-21");
        assert!(with_commit.contains(" (05a1634, 2026-11-21; SQLite 3."), "{with_commit}");
        assert!(text.contains("SQLite 3.") && text.contains("; libpq 1") && text.ends_with(')'), "{text}");
    }
}
