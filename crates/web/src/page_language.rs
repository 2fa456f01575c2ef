//! The languages of the pages, and their message catalogs. The app reads the same catalogs.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A language in which the pages are available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PageLanguage {
    /// English, in American spelling.
    #[default]
    English,
    /// The Slovak language.
    Slovak,
    /// The Indonesian language.
    Indonesian,
}

impl PageLanguage {
    /// All languages, in the order in which pages offer them.
    pub const ALL: [Self; 3] = [Self::English, Self::Slovak, Self::Indonesian];

    /// The BCP 47 tag of the language.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Slovak => "sk",
            Self::Indonesian => "id",
        }
    }

    /// The name of the language in itself.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Slovak => "Slovenčina",
            Self::Indonesian => "Bahasa Indonesia",
        }
    }

    /// Returns the language of a BCP 47 tag such as `sk-SK`.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// Returns the language that the client prefers most, according to its `Accept-Language`
    /// (RFC 9110, 12.5.4). A tag with quality 0 is not acceptable.
    pub fn negotiate(accept_language: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for range in accept_language.split(',') {
            let mut parts = range.split(';');
            let Some(language) = parts.next().and_then(Self::from_tag) else { continue };
            let quality = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .map_or(1.0, |text| text.trim().parse::<f32>().unwrap_or(0.0));
            if quality > best.map_or(0.0, |(highest, _)| highest) {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// The catalog of the language as JSON: an object of texts by key.
    pub(crate) const fn catalog_json(self) -> &'static str {
        match self {
            Self::English => include_str!("../locales/en.json"),
            Self::Slovak => include_str!("../locales/sk.json"),
            Self::Indonesian => include_str!("../locales/id.json"),
        }
    }

    /// The texts of errors, which the app loads once it shows a page.
    pub(crate) const fn errors_json(self) -> &'static str {
        match self {
            Self::English => include_str!("../locales/errors/en.json"),
            Self::Slovak => include_str!("../locales/errors/sk.json"),
            Self::Indonesian => include_str!("../locales/errors/id.json"),
        }
    }

    /// The texts of the auth pages, which the app does not need: its first visit would load them.
    const fn auth_json(self) -> &'static str {
        match self {
            Self::English => include_str!("../locales/auth/en.json"),
            Self::Slovak => include_str!("../locales/auth/sk.json"),
            Self::Indonesian => include_str!("../locales/auth/id.json"),
        }
    }

    /// Returns the text of `key`, or the key itself if the catalog has no such text.
    pub(crate) fn text(self, key: &str) -> &str {
        self.catalog().get(key).map_or(key, String::as_str)
    }

    /// Returns the text of `key` with the placeholder `{name}` replaced.
    pub(crate) fn text_with(self, key: &str, name: &str, value: &str) -> String {
        self.text(key).replace(&format!("{{{name}}}"), value)
    }

    fn catalog(self) -> &'static HashMap<String, String> {
        static CATALOGS: [OnceLock<HashMap<String, String>>; 3] = [const { OnceLock::new() }; 3];
        let [english, slovak, indonesian] = &CATALOGS;
        let catalog = match self {
            Self::English => english,
            Self::Slovak => slovak,
            Self::Indonesian => indonesian,
        };
        // the tests check that every catalog can be parsed
        catalog.get_or_init(|| {
            let mut all: HashMap<String, String> = serde_json::from_str(self.catalog_json()).unwrap_or_default();
            all.extend(serde_json::from_str::<HashMap<_, _>>(self.auth_json()).unwrap_or_default());
            all
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negotiation_follows_quality_and_skips_unknown_languages() {
        assert_eq!(PageLanguage::negotiate("de, sk-SK;q=0.8, en;q=0.5"), Some(PageLanguage::Slovak));
        assert_eq!(PageLanguage::negotiate("en;q=0.4, id;q=0.9"), Some(PageLanguage::Indonesian));
        assert_eq!(PageLanguage::negotiate("en;q=0, de"), None);
        assert_eq!(PageLanguage::negotiate(""), None);
    }

    /// The placeholders of a text, such as `{seconds}`.
    fn placeholders(text: &str) -> std::collections::BTreeSet<&str> {
        text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect()
    }

    #[test]
    fn auth_pages_have_the_same_texts_in_every_language() {
        let read = |json: &str| serde_json::from_str::<std::collections::BTreeMap<String, String>>(json).unwrap();
        let english = read(PageLanguage::English.auth_json());
        assert!(english.len() > 20);
        for language in PageLanguage::ALL {
            let (texts, served) = (read(language.auth_json()), read(language.catalog_json()));
            assert!(texts.keys().eq(english.keys()), "{language:?}");
            for (key, text) in &texts {
                assert!(!text.trim().is_empty(), "{language:?}: {key}");
                assert_eq!(placeholders(text), placeholders(&english[key]), "{language:?}: {key}");
            }
            assert!(texts.keys().all(|key| !served.contains_key(key)), "{language:?}: a text is defined twice");
        }
    }

    #[test]
    fn unknown_key_is_shown_as_itself() {
        assert_eq!(PageLanguage::English.text("no.such.key"), "no.such.key");
        assert_ne!(PageLanguage::Slovak.text("auth.sign_in"), "auth.sign_in");
    }
}
