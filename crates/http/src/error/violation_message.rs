//! Why a value is invalid: a sentence for people, and the violated rule for programs that explain
//! it in their own words.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use tillgate_auth_core::passwords::{MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, WeakPassword};
use tillgate_domain::office::RangeViolation;
use tillgate_domain::{InvalidAccentColor, InvalidText};

/// A rule that a value violates, with the bounds of the rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum ViolatedRule {
    /// A password must not be made of a name of its account.
    AccountName,
    /// A user name has no `@`.
    AtSign,
    /// The text is a color of sRGB.
    Color,
    /// A password must not be a common one.
    CommonPassword,
    /// A color is dark enough for texts.
    Contrast {
        /// The contrast of the color with the pages, as a decimal; texts require 4.5.
        contrast: String,
    },
    /// A text has no control characters.
    ControlCharacter,
    /// A new password differs from the current one.
    CurrentPassword,
    /// A name or a password has no invisible, undefined or otherwise disallowed characters.
    DisallowedCharacter,
    /// The text is an e-mail address.
    Email,
    /// An instant is in the future.
    Future,
    /// The text is a language tag.
    Locale,
    /// A text is not too long.
    MaxCharacters {
        /// The most characters.
        max: usize,
    },
    /// A value is not nested too deeply.
    MaxDepth {
        /// The most levels.
        max: usize,
    },
    /// A text is not too short.
    MinCharacters {
        /// The fewest characters.
        min: usize,
    },
    /// A user name does not mix directions of writing in an ambiguous order.
    MixedDirection,
    /// A password must not be one repeated character.
    RepeatedCharacter,
    /// A duration lies in its range.
    Seconds {
        /// The shortest duration in seconds.
        min: u64,
        /// The longest duration in seconds.
        max: u64,
    },
    /// The text is a slug.
    Slug,
    /// The text is the name of a time zone.
    Zone,
}

impl ViolatedRule {
    /// The names of all rules in responses, ordered.
    pub const NAMES: [&'static str; 19] = [
        "account_name",
        "at_sign",
        "color",
        "common_password",
        "contrast",
        "control_character",
        "current_password",
        "disallowed_character",
        "email",
        "future",
        "locale",
        "max_characters",
        "max_depth",
        "min_characters",
        "mixed_direction",
        "repeated_character",
        "seconds",
        "slug",
        "zone",
    ];
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ViolationMessage {
    text: Cow<'static, str>,
    rule: Option<ViolatedRule>,
}

impl ViolationMessage {
    /// A message with the rule that it explains.
    pub fn with_rule(text: impl Into<Cow<'static, str>>, rule: ViolatedRule) -> Self {
        Self { text: text.into(), rule: Some(rule) }
    }

    /// The violated rule, if it has a name.
    pub const fn rule(&self) -> Option<&ViolatedRule> {
        self.rule.as_ref()
    }
}

impl Deref for ViolationMessage {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ViolationMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl From<&'static str> for ViolationMessage {
    fn from(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), rule: None }
    }
}

impl From<String> for ViolationMessage {
    fn from(text: String) -> Self {
        Self { text: Cow::Owned(text), rule: None }
    }
}

impl From<&InvalidText> for ViolationMessage {
    fn from(why: &InvalidText) -> Self {
        let rule = match why {
            // the code says it
            InvalidText::Empty => None,
            InvalidText::TooLong(max) => Some(ViolatedRule::MaxCharacters { max: *max }),
            InvalidText::TooDeep(max) => Some(ViolatedRule::MaxDepth { max: *max }),
            InvalidText::ControlCharacter => Some(ViolatedRule::ControlCharacter),
            InvalidText::AtSign => Some(ViolatedRule::AtSign),
            InvalidText::DisallowedCharacter(_) => Some(ViolatedRule::DisallowedCharacter),
            InvalidText::MixedDirection => Some(ViolatedRule::MixedDirection),
            InvalidText::Email => Some(ViolatedRule::Email),
            InvalidText::Slug => Some(ViolatedRule::Slug),
        };
        Self { text: why.to_string().into(), rule }
    }
}

impl From<InvalidText> for ViolationMessage {
    fn from(why: InvalidText) -> Self {
        Self::from(&why)
    }
}

impl From<InvalidAccentColor> for ViolationMessage {
    fn from(why: InvalidAccentColor) -> Self {
        let rule = match why {
            InvalidAccentColor::Form => ViolatedRule::Color,
            InvalidAccentColor::Contrast(contrast) => ViolatedRule::Contrast { contrast: format!("{contrast:.1}") },
        };
        Self::with_rule(why.to_string(), rule)
    }
}

impl From<&RangeViolation> for ViolationMessage {
    fn from(span: &RangeViolation) -> Self {
        let rule = ViolatedRule::Seconds { min: span.min.as_secs(), max: span.max.as_secs() };
        Self::with_rule(span.describe_bounds(), rule)
    }
}

impl From<&WeakPassword> for ViolationMessage {
    fn from(why: &WeakPassword) -> Self {
        let rule = match why {
            WeakPassword::TooShort => ViolatedRule::MinCharacters { min: MIN_PASSWORD_CHARS },
            WeakPassword::TooLong => ViolatedRule::MaxCharacters { max: MAX_PASSWORD_CHARS },
            WeakPassword::Control => ViolatedRule::ControlCharacter,
            WeakPassword::Disallowed(_) => ViolatedRule::DisallowedCharacter,
            WeakPassword::Repeated => ViolatedRule::RepeatedCharacter,
            WeakPassword::Common => ViolatedRule::CommonPassword,
            WeakPassword::Unchanged => ViolatedRule::CurrentPassword,
            WeakPassword::ContextWord(_) => ViolatedRule::AccountName,
        };
        Self::with_rule(why.to_string(), rule)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use serde_json::json;
    use tillgate_domain::office::FieldName;

    use super::*;

    #[test]
    fn rules_are_listed_in_the_documentation() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/office.md")).unwrap();
        let header = "| `rule` of an error | what the value must be |\n| --- | --- |\n";
        let (_, table) = page.split_once(header).unwrap();
        let rows = table.lines().take_while(|line| line.starts_with("| "));
        let listed: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
        assert_eq!(listed, ViolatedRule::NAMES);
    }

    #[test]
    fn rules_have_the_listed_names_and_their_bounds() {
        let span = RangeViolation {
            field: FieldName::Roles,
            min: Duration::from_mins(1),
            max: Duration::from_hours(1),
            configured: false,
        };
        let mut messages: Vec<ViolationMessage> = [
            InvalidText::TooLong(100),
            InvalidText::TooDeep(8),
            InvalidText::ControlCharacter,
            InvalidText::AtSign,
            InvalidText::DisallowedCharacter('\u{200b}'),
            InvalidText::MixedDirection,
            InvalidText::Email,
            InvalidText::Slug,
        ]
        .map(ViolationMessage::from)
        .into();
        messages.extend(
            [
                WeakPassword::TooShort,
                WeakPassword::TooLong,
                WeakPassword::Control,
                WeakPassword::Disallowed('\u{200b}'),
                WeakPassword::Repeated,
                WeakPassword::Common,
                WeakPassword::Unchanged,
                WeakPassword::ContextWord("anna".to_owned()),
            ]
            .map(|why| ViolationMessage::from(&why)),
        );
        messages.extend([InvalidAccentColor::Form, InvalidAccentColor::Contrast(3.8)].map(ViolationMessage::from));
        messages.push(ViolationMessage::from(&span));
        messages.extend(
            [ViolatedRule::Future, ViolatedRule::Locale, ViolatedRule::Zone]
                .map(|rule| ViolationMessage::with_rule("is wrong", rule)),
        );
        let sent: Vec<serde_json::Value> =
            messages.iter().map(|message| serde_json::to_value(message.rule().unwrap()).unwrap()).collect();
        let names: BTreeSet<&str> = sent.iter().map(|rule| rule["rule"].as_str().unwrap()).collect();
        assert!(names.iter().eq(ViolatedRule::NAMES.iter()), "{names:?}");
        for expected in [
            json!({ "rule": "max_characters", "max": 100 }),
            json!({ "rule": "min_characters", "min": 8 }),
            json!({ "rule": "contrast", "contrast": "3.8" }),
            json!({ "rule": "seconds", "min": 60, "max": 3_600 }),
        ] {
            assert!(sent.contains(&expected), "{expected}: {sent:?}");
        }
        // the rules reach a response through the validator, which keeps them as JSON
        for (message, rule) in messages.iter().zip(sent) {
            assert_eq!(serde_json::from_value::<ViolatedRule>(rule).unwrap(), *message.rule().unwrap());
        }
        assert_eq!(ViolationMessage::from(InvalidText::Empty).rule(), None);
    }
}
