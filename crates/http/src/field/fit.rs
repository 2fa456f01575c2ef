//! What the fields of bodies are read as: JSON's own types, lists and maps of them, and domain's names, each with a sentence for
//! whoever sent something else.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tillgate_domain::{
    DeviceId, DeviceName, DeviceStatus, Email, Environment, ExactJson, InvalidName, JsonObject, Locale, Right,
    RoleName, Secret, Slug, UserId, UserName, UserStatus, Zone,
};

/// Something about a value that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unfit {
    /// Where in the value: a pointer (RFC 6901), empty for the value as a whole.
    pub(crate) at: String,
    /// A stable word for what is wrong: `type`, `format`, `length`, `required`, `unknown`.
    pub(crate) code: String,
    /// A sentence that says what to do.
    pub(crate) why: String,
}

impl Unfit {
    /// The whole value is at fault.
    pub(crate) fn whole(code: &str, why: impl fmt::Display) -> Vec<Self> {
        vec![Self { at: String::new(), code: code.to_owned(), why: why.to_string() }]
    }

    /// There is no member of this name.
    pub(crate) fn unknown(name: &str) -> Vec<Self> {
        Self::below(Self::whole("unknown", "is no member of this"), name).collect()
    }

    /// The same faults, as a member or an element of something sees them.
    pub(super) fn below(faults: Vec<Self>, key: &str) -> impl Iterator<Item = Self> {
        let key = key.replace('~', "~0").replace('/', "~1");
        faults.into_iter().map(move |fault| Self { at: format!("/{key}{}", fault.at), ..fault })
    }
}

/// What a field can be read as.
pub(crate) trait Fit: Sized {
    /// Reads a value that is not null, or says everything that is wrong with it.
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>>;
}

/// A whole number, by its digits.
pub(crate) fn whole<T: std::str::FromStr>(value: &ExactJson) -> Option<T> {
    match value {
        ExactJson::Number(digits) => digits.parse().ok(),
        _ => None,
    }
}

impl Fit for String {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        match value {
            ExactJson::Text(text) => Ok(text),
            _ => Err(Unfit::whole("type", "must be a string")),
        }
    }
}

impl Fit for Secret<String> {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        String::fit(value).map(Secret::new)
    }
}

impl Fit for bool {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        match value {
            ExactJson::Truth(truth) => Ok(truth),
            _ => Err(Unfit::whole("type", "must be true or false")),
        }
    }
}

impl Fit for i64 {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        whole(&value).ok_or_else(|| Unfit::whole("type", "must be a whole number"))
    }
}

/// Seconds.
impl Fit for Duration {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let seconds: Option<u64> = whole(&value).filter(|seconds| *seconds < 1 << 32);
        seconds.map(Self::from_secs).ok_or_else(|| Unfit::whole("type", "must be a whole number of seconds"))
    }
}

impl Fit for JsonObject {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        match value {
            ExactJson::Object(members) => Ok(Self::new(members)),
            _ => Err(Unfit::whole("type", "must be an object")),
        }
    }
}

impl<T: Fit> Fit for Vec<T> {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let ExactJson::List(values) = value else { return Err(Unfit::whole("type", "must be a list")) };
        let (mut all, mut faults) = (Self::with_capacity(values.len()), Vec::new());
        for (at, value) in values.into_iter().enumerate() {
            match T::fit(value) {
                Ok(value) => all.push(value),
                Err(unfit) => faults.extend(Unfit::below(unfit, &at.to_string())),
            }
        }
        if faults.is_empty() { Ok(all) } else { Err(faults) }
    }
}

/// A null among the values is a value of its own: a merge patch takes a member away by it.
impl<T: Fit> Fit for BTreeMap<String, Option<T>> {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let ExactJson::Object(values) = value else { return Err(Unfit::whole("type", "must be an object")) };
        let (mut all, mut faults) = (Self::new(), Vec::new());
        for (key, value) in values {
            match if value.is_null() { Ok(None) } else { T::fit(value).map(Some) } {
                Ok(value) => drop(all.insert(key, value)),
                Err(unfit) => faults.extend(Unfit::below(unfit, &key)),
            }
        }
        if faults.is_empty() { Ok(all) } else { Err(faults) }
    }
}

/// The members of an object inside a field.
pub(crate) struct Members {
    members: Vec<(String, ExactJson)>,
    faults: Vec<Unfit>,
}

impl Members {
    /// Takes an object apart.
    pub(crate) fn of(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        match value {
            ExactJson::Object(members) => Ok(Self { members, faults: Vec::new() }),
            _ => Err(Unfit::whole("type", "must be an object")),
        }
    }

    /// The member of this name, where it is there and not null.
    pub(crate) fn take<T: Fit>(&mut self, name: &str) -> Option<T> {
        let at = self.members.iter().position(|(own, _)| own == name)?;
        let (_, value) = self.members.remove(at);
        if value.is_null() {
            return None;
        }
        T::fit(value).map_err(|unfit| self.faults.extend(Unfit::below(unfit, name))).ok()
    }

    /// The same of one that has to be there.
    pub(crate) fn need<T: Fit>(&mut self, name: &str) -> Option<T> {
        if !self.members.iter().any(|(own, value)| own == name && !value.is_null()) {
            self.faults.extend(Unfit::below(Unfit::whole("required", "is required"), name));
        }
        self.take(name)
    }

    /// Members that an answer shows and nobody sets: whoever sends back what they were answered may leave them in.
    pub(crate) fn pass_over(&mut self, names: &[&str]) {
        self.members.retain(|(name, _)| !names.contains(&name.as_str()));
    }

    /// What was made of the members, where none is at fault and none is left.
    pub(crate) fn made<T>(mut self, made: Option<T>) -> Result<T, Vec<Unfit>> {
        self.faults.extend(self.members.iter().flat_map(|(name, _)| Unfit::unknown(name)));
        match made {
            Some(made) if self.faults.is_empty() => Ok(made),
            _ => Err(self.faults),
        }
    }
}

/// The stable word for what is wrong with a name.
pub(crate) fn invalid_name(why: &InvalidName) -> &'static str {
    match why {
        InvalidName::Empty => "required",
        InvalidName::TooLong(_) | InvalidName::TooDeep(_) => "length",
        InvalidName::Control
        | InvalidName::Character(_)
        | InvalidName::Direction
        | InvalidName::At
        | InvalidName::Email
        | InvalidName::Slug => "format",
    }
}

/// A name that something new is to have: the rules for new names are asked with everything else about the body. The name alone reads
/// what something may be called already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewName<N>(pub(crate) N);

macro_rules! names {
    ($($name:ty),*) => {$(
        impl Fit for $name {
            fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
                Self::parse(&String::fit(value)?).map_err(|why| Unfit::whole(invalid_name(&why), why))
            }
        }

        impl Fit for NewName<$name> {
            fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
                let name = <$name>::fit(value)?;
                name.check_new().map_err(|why| Unfit::whole(invalid_name(&why), why))?;
                Ok(Self(name))
            }
        }
    )*};
}

names!(UserName, DeviceName, RoleName, Email, Slug);

macro_rules! ids {
    ($($name:ty),*) => {$(
        impl Fit for $name {
            fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
                String::fit(value)?.parse().map_err(|_| Unfit::whole("format", "must be an id"))
            }
        }
    )*};
}

ids!(DeviceId, UserId);

/// Reads what is a text in JSON by a rule of domain's.
macro_rules! texts {
    ($($name:ty: $read:expr),* $(,)?) => {$(
        impl Fit for $name {
            fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
                let read = $read;
                read(&String::fit(value)?).map_err(|why| Unfit::whole("format", why))
            }
        }
    )*};
}
texts! {
    UserStatus: |text: &str| text.parse::<UserStatus>(),
    Right: Right::parse,
    Environment: |text: &str| text.parse::<Environment>(),
    DeviceStatus: |text: &str| text.parse::<DeviceStatus>(),
    Locale: Locale::parse,
    Zone: Zone::parse,
}
