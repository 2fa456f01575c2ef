//! Reads the bodies of the native API. Every fault is told at once, members that a call does not know among them: what is misspelt
//! would else be lost without a word.

use actix_web::http::header::HeaderMap;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use tillgate_domain::ExactJson;
use validator::Validate;

use crate::body::{is_nothing, malformed, object_bytes};
use crate::call::Call;
use crate::exact;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::field::{Unfit, field_faults};
use crate::strict::Names;

/// A body of JSON, where nothing is wrong with it.
pub(super) fn read<T: DeserializeOwned + Validate>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Failure> {
    read_with(headers, bytes, |_| Vec::new())
}

/// The same where `more` finds what no field tells by itself.
pub(super) fn read_with<T: DeserializeOwned + Validate>(
    headers: &HeaderMap,
    bytes: &[u8],
    more: impl FnOnce(&T) -> Vec<FieldFault>,
) -> Result<T, Failure> {
    let json = object_bytes(headers, bytes, Names::Exact)?;
    read_so_far(json, |error| malformed(&error), more)?.checked(|_| Ok(Vec::new()))
}

/// The same of a call whose body may be left out, which is as if it were an empty object.
pub(super) fn sent_or_nothing<T: DeserializeOwned + Validate>(call: &Call) -> Result<T, Failure> {
    if is_nothing(call.body()) { made(&ExactJson::Object(Vec::new())) } else { sent(call) }
}

/// The body of a call in the one form of all bodies that say the same: without blanks, the members of objects in the order of their
/// names, numbers by their digits. A body that says nothing is an empty object.
pub(super) fn canonical(call: &Call) -> Result<String, Failure> {
    if is_nothing(call.body()) {
        return Ok("{}".to_owned());
    }
    let body = exact::parse(object_bytes(call.head().headers(), call.body(), Names::Exact)?)?.with_sorted_members();
    written(&body)
}

fn written(body: &ExactJson) -> Result<String, Failure> {
    serde_json::to_string(body).map_err(|error| Failure::Fault(format!("a body cannot be written: {error}")))
}

/// The same of a call.
pub(super) fn sent<T: DeserializeOwned + Validate>(call: &Call) -> Result<T, Failure> {
    read(call.head().headers(), call.body())
}

/// The body of a call as far as it could be read, whatever is wrong with it. `more` finds what no field tells by itself, such as
/// that a password is made of a name in the same body.
pub(super) fn sent_so_far<T: DeserializeOwned + Validate>(
    call: &Call,
    more: impl FnOnce(&T) -> Vec<FieldFault>,
) -> Result<SoFar<T>, Failure> {
    let json = object_bytes(call.head().headers(), call.body(), Names::Exact)?;
    read_so_far(json, |error| malformed(&error), more)
}

/// The same of a body that was put together here.
pub(super) fn made_so_far<T: DeserializeOwned + Validate>(
    body: &ExactJson,
    more: impl FnOnce(&T) -> Vec<FieldFault>,
) -> Result<SoFar<T>, Failure> {
    let failed = |error| Failure::Fault(format!("a body that was made cannot be read: {error}"));
    read_so_far(written(body)?.as_bytes(), failed, more)
}

/// A body as far as it could be read, and everything that is known to be wrong with it. What only the store knows is added before
/// the body is handed out, so that all faults are reported at once.
pub(super) struct SoFar<T> {
    body: T,
    faults: Vec<FieldFault>,
}

impl<T> SoFar<T> {
    /// The body; fields at fault have no value.
    pub(super) const fn body(&self) -> &T {
        &self.body
    }

    /// Whether nothing is known to be wrong with it.
    pub(super) const fn is_faultless(&self) -> bool {
        self.faults.is_empty()
    }

    /// Adds faults; what is known already is kept once, and a password is weak for one reason at a time.
    pub(super) fn add(&mut self, faults: Vec<FieldFault>) {
        for fault in faults {
            let weak = |known: &FieldFault| fault.code == "weak" && known.code == "weak" && known.field == fault.field;
            if !self.faults.iter().any(|known| *known == fault || weak(known)) {
                self.faults.push(fault);
            }
        }
    }

    /// The body if nothing is wrong with it; otherwise everything that is, with what `more` finds.
    pub(super) fn checked(mut self, more: impl FnOnce(&T) -> Result<Vec<FieldFault>, Failure>) -> Result<T, Failure> {
        if self.is_faultless() {
            return Ok(self.body);
        }
        let found = more(&self.body)?;
        self.add(found);
        self.faults.sort();
        Err(Protocol::Fields(self.faults).into())
    }
}

/// The same of a body that was put together here.
pub(super) fn made<T: DeserializeOwned + Validate>(body: &ExactJson) -> Result<T, Failure> {
    made_so_far(body, |_| Vec::new())?.checked(|_| Ok(Vec::new()))
}

fn read_so_far<T: DeserializeOwned + Validate>(
    json: &[u8],
    failed: impl Fn(serde_json::Error) -> Failure,
    more: impl FnOnce(&T) -> Vec<FieldFault>,
) -> Result<SoFar<T>, Failure> {
    let mut sent = serde_json::Deserializer::from_slice(json);
    let read = known(&mut sent).and_then(|read| sent.end().map(|()| read));
    let (body, mut faults) = read.map_err(failed)?;
    faults.extend(field_faults(&body, more));
    Ok(SoFar { body, faults })
}

/// A body, and the members that it does not know.
fn known<'de, T: DeserializeOwned, D: Deserializer<'de>>(sent: D) -> Result<(T, Vec<FieldFault>), D::Error> {
    let mut unknown = Vec::new();
    let body = serde_ignored::deserialize(sent, |member| {
        unknown.extend(Unfit::unknown(&member.to_string()).into_iter().map(|unfit| FieldFault {
            field: unfit.at.trim_start_matches('/').to_owned().into(),
            query: false,
            code: unfit.code.into(),
            message: unfit.why.into(),
        }));
    })?;
    Ok((body, unknown))
}
