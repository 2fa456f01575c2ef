//! The address of the database.

use std::path::Path;

use tillgate_persistence::Address;

/// The displayed address and the argument contain no password, wherever it is in the input. The
/// displayed address of a SQLite file is parsed to the same address.
pub fn database_address(input: &[u8]) {
    const PASSWORD: &str = "KEPT-BACK";
    let text = String::from_utf8_lossy(input);
    let folder = Path::new("/data");
    if let Ok(address) = Address::parse(&text, folder) {
        let shown = address.to_string();
        match &address {
            Address::Sqlite(path) => {
                assert!(path.is_absolute());
                assert_eq!(Address::parse(&shown, folder).as_ref(), Ok(&address), "{shown}");
            }
            Address::Postgres(whole) => {
                assert_eq!(*whole, text, "libpq is given something else");
                assert!(shown.starts_with("postgres://") || shown.starts_with("postgresql://"), "{shown}");
            }
        }
        assert_eq!(format!("{address:?}"), format!("Address({shown})"));
    }
    // one part per line: before the password, behind it, and the rest
    let mut lines = text.splitn(3, '\n');
    let mut part = || lines.next().unwrap_or_default().replace(PASSWORD, "");
    let (user, after, rest) = (part(), part(), part());
    for whole in [
        format!("postgres://{user}:{PASSWORD}{after}@{rest}"),
        format!("postgres://{user}:{after}{PASSWORD}@{rest}"),
        format!("postgresql://{rest}?{user}&password={after}{PASSWORD}"),
    ] {
        if let Ok(address) = Address::parse(&whole, folder) {
            for shown in [Some(address.to_string()), address.to_argument()].into_iter().flatten() {
                assert!(!shown.contains(PASSWORD), "{whole} is shown as {shown}");
            }
        }
    }
}
