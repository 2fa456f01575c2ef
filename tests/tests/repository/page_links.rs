//! Links of the documentation: each leads to a file and a heading that exist, and the contents of
//! docs/operating.md list its sections.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use tillgate_tests::markdown_pages::{list_pages, repository_root};

/// A page without its code blocks, where `#` begins no heading and brackets no link.
fn read_prose(page: &Path) -> String {
    let text = std::fs::read_to_string(repository_root().join(page)).unwrap();
    let mut inside = false;
    let prose = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    prose.collect::<Vec<_>>().join("\n")
}

/// The anchor of a heading: letters, digits, `_` and `-` in lower case, with `-` for spaces.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The headings of a page with at least this level, by their anchors.
fn headings(prose: &str, level: usize) -> Vec<String> {
    let is_heading = |line: &&str| {
        let hashes = line.chars().take_while(|c| *c == '#').count();
        (level..=6).contains(&hashes) && line[hashes..].starts_with(' ')
    };
    prose.lines().filter(is_heading).map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// The targets of the links of a page. A link text may continue on the next line.
fn link_targets(prose: &str) -> Vec<&str> {
    prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

/// A path relative to the folder of a page, without `..`.
fn resolve(page: &Path, target: &str) -> PathBuf {
    let mut path = page.parent().unwrap().to_path_buf();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{target} of {} leaves the repository", page.display()),
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut pages: Vec<PathBuf> = list_pages().into_iter().map(PathBuf::from).collect();
    pages.extend(["ARCHITECTURE.md", "CHANGELOG.md"].map(PathBuf::from));
    let mut anchors: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    let (mut lost, mut checked) = (Vec::new(), 0);
    for page in &pages {
        let prose = read_prose(page);
        for target in link_targets(&prose).into_iter().filter(|target| !target.contains("://")) {
            checked += 1;
            let (path, fragment) = target.split_once('#').map_or((target, None), |(path, rest)| (path, Some(rest)));
            let path = if path.is_empty() { page.clone() } else { resolve(page, path) };
            let known = || headings(&read_prose(&path), 1).into_iter().collect();
            let found = repository_root().join(&path).exists()
                && fragment.is_none_or(|fragment| anchors.entry(path.clone()).or_insert_with(known).contains(fragment));
            if !found {
                lost.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(lost.is_empty() && checked > 100, "{checked} links: {lost:#?}");
}

#[test]
fn contents_of_the_operators_page_list_every_section() {
    let prose = read_prose(Path::new("docs/operating.md"));
    let (before, sections) = prose.split_at(prose.find("\n## ").unwrap());
    let listed: Vec<&str> = link_targets(before).into_iter().filter_map(|target| target.strip_prefix('#')).collect();
    let sections: Vec<String> = headings(sections, 2)
        .into_iter()
        .zip(sections.lines().filter(|line| line.starts_with('#')))
        .filter(|(_, line)| line.starts_with("## "))
        .map(|(anchor, _)| anchor)
        .collect();
    assert_eq!(listed, sections, "in the order of the page");
}
