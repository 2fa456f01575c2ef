use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}

#[test]
fn table_contains_every_file_of_the_app() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("app");
    let mut found = Vec::new();
    collect(&root, &mut found);
    let on_disk: BTreeSet<String> =
        found.iter().map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/")).collect();
    let in_table: BTreeSet<String> = STYLES.iter().chain(FILES).map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(on_disk, in_table);
}

#[test]
fn files_have_known_types_and_distinct_paths() {
    let paths: BTreeSet<&str> = assets().iter().map(|asset| asset.path.as_ref()).collect();
    assert_eq!(paths.len(), assets().len());
    for asset in assets() {
        let is_license = asset.path.contains("LICENSE");
        assert_eq!(asset.content_type.starts_with("text/plain"), is_license, "{}", asset.path);
    }
}

#[test]
fn compressed_content_is_the_content() {
    use std::io::Read;
    let asset = find_asset("src/main.js").unwrap();
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(asset.gzip()).read_to_end(&mut text).unwrap();
    assert_eq!(text, asset.bytes.as_ref());
}

#[test]
fn only_known_paths_are_found() {
    assert!(find_asset("src/main.js").is_some());
    for path in ["", "/src/main.js", "../Cargo.toml", "src/../src/main.js", "styles/tokens.css"] {
        assert!(find_asset(path).is_none(), "{path}");
    }
}
