//! The document of krmpesan's page, with its texts in each language. The script reads its texts
//! from the document.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use tillgate_web::PageLanguage;

const TEMPLATE: &str = include_str!("page.html");

/// The document in a language, rendered on its first request.
pub(super) fn html(language: PageLanguage) -> &'static str {
    static PAGES: [OnceLock<String>; 3] = [const { OnceLock::new() }; 3];
    let [english, slovak, indonesian] = &PAGES;
    let page = match language {
        PageLanguage::English => english,
        PageLanguage::Slovak => slovak,
        PageLanguage::Indonesian => indonesian,
    };
    page.get_or_init(|| render(language))
}

/// The texts of a language as JSON: an object of texts by key.
const fn texts_json(language: PageLanguage) -> &'static str {
    match language {
        PageLanguage::English => include_str!("texts/en.json"),
        PageLanguage::Slovak => include_str!("texts/sk.json"),
        PageLanguage::Indonesian => include_str!("texts/id.json"),
    }
}

/// Replaces the placeholders of the template. The test checks that all texts can be parsed, and
/// that none contains markup.
fn render(language: PageLanguage) -> String {
    let texts: BTreeMap<String, String> = serde_json::from_str(texts_json(language)).unwrap_or_default();
    let mut page = TEMPLATE.replace("{{language}}", language.tag()).replace("{{texts}}", texts_json(language));
    for (key, text) in &texts {
        page = page.replace(&format!("{{{{{key}}}}}"), text);
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The placeholders of a text, such as `{seconds}`.
    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect()
    }

    #[test]
    fn page_has_the_same_texts_in_every_language() {
        let read = |language| serde_json::from_str::<BTreeMap<String, String>>(texts_json(language)).unwrap();
        let english = read(PageLanguage::English);
        let script = include_str!("page.js");
        // the titles of the views and the kinds of devices are built from their names
        let is_built = |key: &str| key.starts_with("kind.") || key.split('.').next_back() == Some("title");
        for key in english.keys().filter(|key| !is_built(key)) {
            let used = TEMPLATE.contains(&format!("{{{{{key}}}}}")) || script.contains(&format!("t(\"{key}\""));
            assert!(used, "{key} is not used");
        }
        for used in script.split("t(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(!used.contains('.') || english.contains_key(used), "{used} has no text");
        }
        for language in PageLanguage::ALL {
            let texts = read(language);
            assert!(texts.keys().eq(english.keys()), "{language:?}");
            for (key, text) in &texts {
                assert!(!text.trim().is_empty() && !text.contains(['<', '&', '"']), "{language:?}: {key}");
                assert_eq!(placeholders(text), placeholders(&english[key]), "{language:?}: {key}");
            }
            let page = html(language);
            assert!(!page.contains("{{") && page.contains(&format!("<html lang=\"{}\">", language.tag())), "{page}");
        }
        assert_ne!(html(PageLanguage::Slovak), html(PageLanguage::Indonesian));
    }
}
