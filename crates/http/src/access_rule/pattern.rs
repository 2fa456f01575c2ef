//! Path patterns of the access table: literal segments, `{name}` for exactly one segment, and a
//! trailing `*` for everything below.

use std::fmt;
use std::str::FromStr;

use super::normalized_path::NormalizedPath;

/// A path pattern. It ignores case, because the API behind a gateway may do so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    segments: Vec<Segment>,
    /// Whether more segments may follow.
    open_ended: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Placeholder(String),
}

/// A text is not a path pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a path pattern: {reason}")]
pub struct InvalidPathPattern {
    text: String,
    reason: &'static str,
}

impl PathPattern {
    pub(super) fn matches(&self, path: &NormalizedPath) -> bool {
        let segments = path.segments();
        let long_enough =
            if self.open_ended { segments.len() >= self.segments.len() } else { segments.len() == self.segments.len() };
        long_enough && self.segments.iter().zip(segments).all(|(pattern, segment)| pattern.matches(segment))
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if let Some(name) = text.strip_prefix('{') {
            let name = name.strip_suffix('}').ok_or("a brace is not closed")?;
            let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            return if fits {
                Ok(Self::Placeholder(name.to_owned()))
            } else {
                Err("a name in braces has letters, digits and \"_\"")
            };
        }
        match text {
            "" => Err("it has an empty segment; remove repeated and trailing slashes"),
            "*" => Err("\"*\" must be the last segment; use {name} for a single segment"),
            text if text.bytes().all(|byte| byte == b'.') => Err("a segment must not consist of dots"),
            text if text.bytes().all(plain) => Ok(Self::Literal(text.to_owned())),
            _ => Err("segments contain only letters, digits, \"-\", \"_\", \".\" and \"~\", without percent-encoding \
                 and without a query"),
        }
    }

    fn matches(&self, segment: &str) -> bool {
        match self {
            Self::Literal(name) => name.eq_ignore_ascii_case(segment),
            Self::Placeholder(_) => true,
        }
    }
}

impl FromStr for PathPattern {
    type Err = InvalidPathPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPathPattern> {
        let invalid = |why| InvalidPathPattern { text: text.to_owned(), reason: why };
        let path = text.strip_prefix('/').ok_or_else(|| invalid("it must begin with a slash"))?;
        if path.is_empty() {
            return Ok(Self { segments: Vec::new(), open_ended: false });
        }
        let (path, open) = match path.strip_suffix('*') {
            Some("") => return Ok(Self { segments: Vec::new(), open_ended: true }),
            Some(before) => (before.strip_suffix('/').ok_or_else(|| invalid("\"*\" is a segment of its own"))?, true),
            None => (path, false),
        };
        let segments = path.split('/').map(Segment::parse).collect::<Result<_, _>>().map_err(invalid)?;
        Ok(Self { segments, open_ended: open })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(name) => write!(f, "/{name}")?,
                Segment::Placeholder(name) => write!(f, "/{{{name}}}")?,
            }
        }
        match (self.open_ended, self.segments.is_empty()) {
            (true, _) => f.write_str("/*"),
            (false, true) => f.write_str("/"),
            (false, false) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, target: &str) -> bool {
        let parsed: PathPattern = pattern.parse().unwrap();
        assert_eq!(parsed.to_string(), pattern);
        NormalizedPath::parse(target).is_some_and(|path| parsed.matches(&path))
    }

    #[test]
    fn pattern_matches_its_paths() {
        for (pattern, target, expected) in [
            ("/", "/", true),
            ("/", "/a", false),
            ("/*", "/", true),
            ("/*", "/a/b", true),
            ("/products", "/products", true),
            ("/products", "/Products/?a", true),
            ("/products", "/PRODUCTS", true),
            ("/products", "/%50roducts", true),
            ("/products", "/products/1", false),
            ("/products", "/productsx", false),
            ("/products/{id}", "/products/1", true),
            ("/products/{id}", "/products/1/", true),
            ("/products/{id}", "/products", false),
            ("/products/{id}", "/products/", false),
            ("/products/{id}", "/products/1/options", false),
            ("/products/{id}/options", "/products/a%20b/options", true),
            ("/products/*", "/products", true),
            ("/products/*", "/products/1/options/2", true),
            ("/products/*", "/productsx/1", false),
            ("/products/{id}/*", "/products", false),
            ("/products/{id}/*", "/products/1", true),
            ("/products/*", "/orders/../products/1", false),
        ] {
            assert_eq!(matches(pattern, target), expected, "{pattern} {target}");
        }
    }

    #[test]
    fn invalid_pattern_reports_reason() {
        for (text, why) in [
            ("", "must begin"),
            ("products", "must begin"),
            ("/products/", "empty"),
            ("//products", "empty"),
            ("/products//", "empty"),
            ("/*/products", "last segment"),
            ("/products*", "of its own"),
            ("/products/**", "of its own"),
            ("/products/{id", "closed"),
            ("/products/{}", "braces"),
            ("/products/{a-b}", "braces"),
            ("/products/x{id}", "segments"),
            ("/products/:id", "segments"),
            ("/products?x=1", "segments"),
            ("/pro%64ucts", "segments"),
            ("/pro ducts", "segments"),
            ("/café", "segments"),
            ("/a/../b", "dots"),
            ("/.", "dots"),
        ] {
            let said = text.parse::<PathPattern>().unwrap_err().to_string();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
