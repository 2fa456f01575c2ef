//! Texts that people read, of something new, and what devices keep: each is judged with everything else about the body. Where a body
//! changes something, what stays as it is may be kept, so there the use case judges.

use std::collections::BTreeMap;

use tillgate_domain::office::{
    MAX_SETTINGS, bounded_preferences, check_description, check_new_label, check_new_name, check_setting,
};
use tillgate_domain::{ExactJson, InvalidName, JsonObject};

use super::fit::{Fit, Unfit, invalid_name};

/// A name that people read: 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DisplayName(pub(crate) String);

/// A label, which may be empty: 200 characters at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label(pub(crate) String);

/// What something is for: 2,000 characters at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description(pub(crate) String);

/// Settings of a device; in a merge patch one that is null goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceSettings(pub(crate) BTreeMap<String, Option<String>>);

/// What the program on a device remembers of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DevicePreferences(pub(crate) JsonObject);

/// A list that names one thing at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AtLeastOne<T>(pub(crate) Vec<T>);

fn invalid(why: &InvalidName) -> Vec<Unfit> {
    Unfit::whole(invalid_name(why), why)
}

macro_rules! texts {
    ($($name:ident: $check:expr),* $(,)?) => {$(
        impl Fit for $name {
            fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
                let text = String::fit(value)?;
                $check(&text).map_err(|why| invalid(&why))?;
                Ok(Self(text))
            }
        }
    )*};
}

texts! {
    DisplayName: check_new_name,
    Label: check_new_label,
    Description: check_description,
}

impl Fit for DeviceSettings {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let settings = BTreeMap::<String, Option<String>>::fit(value)?;
        let set = settings.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
        let (mut count, mut faults) = (0, Vec::new());
        for (key, value) in set {
            count += 1;
            if let Err(why) = check_setting(key, value) {
                faults.extend(Unfit::below(invalid(&why), key));
            }
        }
        if count > MAX_SETTINGS {
            faults.extend(Unfit::whole("length", format!("must have at most {MAX_SETTINGS} members")));
        }
        if faults.is_empty() { Ok(Self(settings)) } else { Err(faults) }
    }
}

impl Fit for DevicePreferences {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let preferences = JsonObject::fit(value)?;
        bounded_preferences(&preferences).map_err(|why| invalid(&why))?;
        Ok(Self(preferences))
    }
}

impl<T: Fit> Fit for AtLeastOne<T> {
    fn fit(value: ExactJson) -> Result<Self, Vec<Unfit>> {
        let all = Vec::fit(value)?;
        if all.is_empty() { Err(Unfit::whole("required", "must name at least one")) } else { Ok(Self(all)) }
    }
}
