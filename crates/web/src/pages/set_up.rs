//! The page on which the first administrator is set up.

use std::collections::BTreeMap;

use askama::Template;

use super::{assets_path, render};
use crate::page_language::PageLanguage;

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SetUpField {
    /// The one-time token.
    Token,
    /// The name of the shop, which is that of the tenant.
    Shop,
    /// The time zone of the shop.
    Zone,
    /// The language of the shop.
    Locale,
    /// The user name of the administrator.
    UserName,
    /// The name of the administrator for people; may be empty.
    DisplayName,
    /// The e-mail address of the administrator; may be empty.
    Email,
    /// The password of the administrator. It is never shown again.
    Password,
    /// The name of the first till; may be empty.
    Till,
}

impl SetUpField {
    /// All fields, in the order of the form.
    pub const ALL: [Self; 9] = [
        Self::Token,
        Self::Shop,
        Self::Zone,
        Self::Locale,
        Self::UserName,
        Self::DisplayName,
        Self::Email,
        Self::Password,
        Self::Till,
    ];

    /// The name of the field in the form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Shop => "shop",
            Self::Zone => "zone",
            Self::Locale => "locale",
            Self::UserName => "user_name",
            Self::DisplayName => "display_name",
            Self::Email => "email",
            Self::Password => "password",
            Self::Till => "till",
        }
    }

    const fn is_required(self) -> bool {
        !matches!(self, Self::DisplayName | Self::Email | Self::Till)
    }

    /// What password managers and browsers may fill in.
    const fn autocomplete(self) -> &'static str {
        match self {
            Self::Shop => "organization",
            Self::UserName => "username",
            Self::DisplayName => "name",
            Self::Email => "email",
            Self::Password => "new-password",
            Self::Token | Self::Zone | Self::Locale | Self::Till => "off",
        }
    }

    const fn input_type(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
            _ => "text",
        }
    }
}

/// Why the form is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetUpNotice {
    /// The token is wrong, or a newer one has replaced it (401).
    WrongToken,
    /// Fields are invalid (422).
    Invalid,
    /// Too many wrong tokens, or too many requests (429).
    Throttled {
        /// The seconds after which the next attempt is possible.
        retry_after: u64,
    },
    /// Temporarily unavailable (503).
    Unavailable,
}

/// The form that sets up the first administrator. It posts the fields to `<prefix>/set-up`.
#[derive(Clone, Copy, Debug)]
pub struct SetUpPage<'a> {
    /// Language of the page.
    pub language: PageLanguage,
    /// Prefix of the back office, such as `/office`.
    pub prefix: &'a str,
    /// What was entered before.
    pub values: &'a BTreeMap<SetUpField, String>,
    /// The fields that are invalid.
    pub faults: &'a [SetUpField],
    /// Why the form is shown again.
    pub notice: Option<SetUpNotice>,
}

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpTemplate<'a> {
    language: PageLanguage,
    assets: String,
    prefix: &'a str,
    notice: Option<String>,
    rows: Vec<Row<'a>>,
    /// What the links to the other languages keep of the query.
    query: &'static str,
}

/// A field as the template shows it.
struct Row<'a> {
    name: &'static str,
    label: &'a str,
    hint: Option<&'a str>,
    fault: Option<&'a str>,
    value: &'a str,
    input_type: &'static str,
    autocomplete: &'static str,
    required: bool,
    /// Tags and names of the languages, if one of them is chosen.
    choices: Vec<(&'static str, &'a str, bool)>,
}

impl SetUpPage<'_> {
    /// Renders the page as HTML.
    pub fn render(&self) -> String {
        let language = self.language;
        let notice = self.notice.map(|notice| match notice {
            SetUpNotice::WrongToken => language.text("auth.setup.wrong_token").to_owned(),
            SetUpNotice::Invalid => language.text("auth.setup.invalid").to_owned(),
            SetUpNotice::Throttled { retry_after } => {
                language.text_with("auth.throttled", "seconds", &retry_after.to_string())
            }
            SetUpNotice::Unavailable => language.text("auth.unavailable").to_owned(),
        });
        render(&SetUpTemplate {
            language,
            assets: assets_path(self.prefix),
            prefix: self.prefix,
            notice,
            rows: SetUpField::ALL.map(|field| self.row(field)).into(),
            query: "",
        })
    }

    fn row(&self, field: SetUpField) -> Row<'_> {
        let language = self.language;
        let (label, hint, fault) = texts(field);
        let value = match field {
            SetUpField::Password => "",
            _ => self.values.get(&field).map_or("", String::as_str),
        };
        let choice = |each: PageLanguage| (each.tag(), each.name(), PageLanguage::from_tag(value) == Some(each));
        Row {
            name: field.name(),
            label: language.text(label),
            hint: hint.map(|key| language.text(key)),
            fault: self.faults.contains(&field).then(|| language.text(fault)),
            value,
            input_type: field.input_type(),
            autocomplete: field.autocomplete(),
            required: field.is_required(),
            choices: if field == SetUpField::Locale { PageLanguage::ALL.map(choice).into() } else { Vec::new() },
        }
    }
}

/// The keys of the label, of the hint below it and of the error.
const fn texts(field: SetUpField) -> (&'static str, Option<&'static str>, &'static str) {
    match field {
        SetUpField::Token => ("auth.setup.token", Some("auth.setup.token.hint"), "auth.setup.wrong_token"),
        SetUpField::Shop => ("auth.setup.shop", None, "auth.setup.fault.name"),
        SetUpField::Zone => ("auth.setup.zone", Some("auth.setup.zone.hint"), "auth.setup.fault.zone"),
        SetUpField::Locale => ("auth.setup.locale", None, "auth.setup.fault.locale"),
        SetUpField::UserName => ("auth.setup.user_name", None, "auth.setup.fault.user_name"),
        SetUpField::DisplayName => ("auth.setup.display_name", None, "auth.setup.fault.name"),
        SetUpField::Email => ("auth.setup.email", None, "auth.setup.fault.email"),
        SetUpField::Password => ("auth.setup.password", None, "auth.weak_password"),
        SetUpField::Till => ("auth.setup.till", Some("auth.setup.till.hint"), "auth.setup.fault.till"),
    }
}
