//! Patterns of paths: segments to the letter, `{name}` for any one segment, and `*` at the end for all that lies below.

use std::fmt;
use std::str::FromStr;

use super::target::Path;

/// A pattern of paths. Its letters have no case: what stands behind a gateway may know none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    segments: Vec<Segment>,
    /// Whether more segments may follow.
    open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Named(String),
    Any(String),
}

/// A text that is no pattern, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no pattern of paths: {why}")]
pub struct InvalidPattern {
    text: String,
    why: &'static str,
}

impl PathPattern {
    pub(super) fn fits(&self, path: &Path) -> bool {
        let segments = path.segments();
        let long_enough =
            if self.open { segments.len() >= self.segments.len() } else { segments.len() == self.segments.len() };
        long_enough && self.segments.iter().zip(segments).all(|(pattern, segment)| pattern.fits(segment))
    }
}

impl Segment {
    fn read(text: &str) -> Result<Self, &'static str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if let Some(name) = text.strip_prefix('{') {
            let name = name.strip_suffix('}').ok_or("a brace is not closed")?;
            let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            return if fits {
                Ok(Self::Any(name.to_owned()))
            } else {
                Err("a name in braces has letters, digits and \"_\"")
            };
        }
        match text {
            "" => Err("it has an empty segment; a path has no two slashes together and none at its end"),
            "*" => Err("\"*\" stands at the end alone; {name} stands for one segment"),
            text if text.bytes().all(|byte| byte == b'.') => Err("no path keeps a segment of dots"),
            text if text.bytes().all(plain) => Ok(Self::Named(text.to_owned())),
            _ => Err(
                "segments have letters, digits, \"-\", \"_\", \".\" and \"~\", not encoded; there is no query in it",
            ),
        }
    }

    fn fits(&self, segment: &str) -> bool {
        match self {
            Self::Named(name) => name.eq_ignore_ascii_case(segment),
            Self::Any(_) => true,
        }
    }
}

impl FromStr for PathPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let invalid = |why| InvalidPattern { text: text.to_owned(), why };
        let path = text.strip_prefix('/').ok_or_else(|| invalid("it begins with a slash"))?;
        if path.is_empty() {
            return Ok(Self { segments: Vec::new(), open: false });
        }
        let (path, open) = match path.strip_suffix('*') {
            Some("") => return Ok(Self { segments: Vec::new(), open: true }),
            Some(before) => (before.strip_suffix('/').ok_or_else(|| invalid("\"*\" is a segment of its own"))?, true),
            None => (path, false),
        };
        let segments = path.split('/').map(Segment::read).collect::<Result<_, _>>().map_err(invalid)?;
        Ok(Self { segments, open })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Named(name) => write!(f, "/{name}")?,
                Segment::Any(name) => write!(f, "/{{{name}}}")?,
            }
        }
        match (self.open, self.segments.is_empty()) {
            (true, _) => f.write_str("/*"),
            (false, true) => f.write_str("/"),
            (false, false) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, target: &str) -> bool {
        let parsed: PathPattern = pattern.parse().unwrap();
        assert_eq!(parsed.to_string(), pattern);
        Path::read(target).is_some_and(|path| parsed.fits(&path))
    }

    #[test]
    fn a_pattern_fits_what_it_says() {
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
            assert_eq!(fits(pattern, target), expected, "{pattern} {target}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (text, why) in [
            ("", "begins"),
            ("products", "begins"),
            ("/products/", "empty"),
            ("//products", "empty"),
            ("/products//", "empty"),
            ("/*/products", "at the end alone"),
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
