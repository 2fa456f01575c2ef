//! The document of the app, which loads its modules.

use std::collections::BTreeSet;

use askama::Template;

use crate::assets::{digest, find_asset, short_hash};

/// The first segments of the paths of the app's pages, below the prefix. Each may be followed by
/// one more segment, an id. The empty path is the first page.
pub const PAGES: [&str; 12] = [
    "tills", "sessions", "people", "roles", "devices", "tickets", "audit", "api-keys", "stores", "settings", "profile",
    "enroll",
];

/// The document of the app for one of its pages.
#[derive(Debug)]
pub struct IndexPage {
    /// The document, `text/html; charset=utf-8`.
    pub bytes: Vec<u8>,
    /// A strong entity tag of the document, with its quotation marks.
    pub etag: String,
}

#[derive(Template)]
#[template(path = "app.html")]
struct AppTemplate<'a> {
    prefix: &'a str,
    assets: &'a str,
    modules: &'a BTreeSet<String>,
}

/// Renders the document for the page `page` of [`PAGES`] of a back office at `prefix`, such as
/// `/office`. It preloads the modules of the page, so that the browser need not read one module to
/// find the next. For another `page` it preloads only what all pages need.
pub fn render_index(prefix: &str, page: &str) -> IndexPage {
    let page = if page.is_empty() { "tills" } else { page };
    let mut modules = BTreeSet::new();
    collect_imports("src/main.js", &mut modules);
    if PAGES.contains(&page) {
        collect_imports(&format!("src/pages/{page}.js"), &mut modules);
    }
    let template = AppTemplate { prefix, assets: &format!("{prefix}/a/{}", digest()), modules: &modules };
    // a string accepts every write
    let bytes = template.render().unwrap_or_default().into_bytes();
    let etag = format!("\"{}\"", short_hash(&bytes));
    IndexPage { bytes, etag }
}

/// Adds the module at `path` and all modules that it imports statically.
fn collect_imports(path: &str, found: &mut BTreeSet<String>) {
    let Some(asset) = find_asset(path) else { return };
    if !found.insert(path.to_owned()) {
        return;
    }
    let text = String::from_utf8_lossy(&asset.bytes);
    for import in static_imports(&text) {
        collect_imports(&resolve(path, import), found);
    }
}

/// Returns the relative specifiers after `from` and `import` in a module.
fn static_imports(module: &str) -> impl Iterator<Item = &str> {
    let after = |word| module.split(word).skip(1);
    after("from").chain(after("import ")).filter_map(|rest| {
        let specifier = rest.trim_start_matches(' ').strip_prefix('"')?.split('"').next()?;
        specifier.starts_with('.').then_some(specifier)
    })
}

/// Resolves the relative specifier of an import in the module at `path`.
fn resolve(path: &str, specifier: &str) -> String {
    let mut segments: Vec<&str> = path.split('/').collect();
    segments.pop();
    for segment in specifier.split('/') {
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_found_in_written_and_minified_modules() {
        let module = "import { a } from \"./a.js\";\nimport \"../b.js\";\nimport{c as d}from\"../../c.js\";\n\
                      const text = 'from \"elsewhere\"'; import(\"./later.js\");";
        let found: Vec<&str> = static_imports(module).collect();
        assert_eq!(found, ["./a.js", "../../c.js", "../b.js"]);
        assert_eq!(resolve("src/pages/tills.js", "../../vendor/x.js"), "vendor/x.js");
        assert_eq!(resolve("src/main.js", "./i18n.js"), "src/i18n.js");
    }

    #[test]
    fn every_preloaded_module_exists_and_lies_below_the_digest() {
        for page in PAGES {
            let document = String::from_utf8(render_index("/office", page).bytes).unwrap();
            let base = format!("/office/a/{}/", digest());
            let links: Vec<&str> = document.split("rel=\"modulepreload\" href=\"").skip(1).collect();
            assert!(links.len() > 1, "{page}");
            for link in links {
                let path = link.split('"').next().unwrap().strip_prefix(&base).unwrap();
                assert!(find_asset(path).is_some(), "{path}");
            }
        }
    }

    #[test]
    fn document_has_neither_inline_script_nor_inline_style() {
        let document = String::from_utf8(render_index("/office", "tills").bytes).unwrap();
        assert!(!document.contains("<style") && !document.contains("style="));
        assert_eq!(document.matches("<script").count(), document.matches("></script>").count());
    }

    #[test]
    fn entity_tag_depends_on_prefix_and_page() {
        let tag = |prefix: &str, page: &str| render_index(prefix, page).etag;
        assert_eq!(tag("/office", ""), tag("/office", "tills"));
        assert_ne!(tag("/office", "tills"), tag("/admin", "tills"));
    }
}
