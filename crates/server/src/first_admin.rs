//! What a start says while there is nobody who could log in.

use std::path::Path;

/// How to make the first admin of a server with this data folder and, where it is not the folder's own, this database.
pub(crate) fn hint(data: &Path, database_elsewhere: bool) -> String {
    let database = if database_elsewhere { " --database URL" } else { "" };
    format!(
        "There is no user yet. Make the first admin (it asks for a password of 8 characters at least):\n  \
         tillgate user add admin --role admin --data {}{database}",
        quoted(&data.display().to_string())
    )
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !path.is_empty() && path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_can_be_pasted_into_a_shell() {
        assert!(hint(Path::new("./data"), false).ends_with("tillgate user add admin --role admin --data ./data"));
        assert!(hint(Path::new("/srv/my shop's"), true).ends_with(r"--data '/srv/my shop'\''s' --database URL"));
    }
}
