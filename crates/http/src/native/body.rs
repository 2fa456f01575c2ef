//! Reads the bodies of the native API. Every fault is told at once, members that a call does not know among them: what is misspelt
//! would else be lost without a word.

use actix_web::http::header::HeaderMap;
use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde_json::Value;
use validator::Validate;

use crate::body::{malformed, object_bytes};
use crate::call::Call;
use crate::failure::{Failure, FieldFault, Protocol};
use crate::field::{Unfit, validated};

/// A body of JSON, where nothing is wrong with it.
pub(super) fn read<T: DeserializeOwned + Validate>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Failure> {
    let mut sent = serde_json::Deserializer::from_slice(object_bytes(headers, bytes)?);
    let read = known(&mut sent).and_then(|read| sent.end().map(|()| read));
    checked(read.map_err(|error| malformed(&error))?)
}

/// The same of a call.
pub(super) fn sent<T: DeserializeOwned + Validate>(call: &Call) -> Result<T, Failure> {
    read(call.head().headers(), call.body())
}

/// The same of a body that was put together here.
pub(super) fn made<T: DeserializeOwned + Validate>(body: Value) -> Result<T, Failure> {
    checked(known(body).map_err(|error| Failure::Fault(format!("a body that was made cannot be read: {error}")))?)
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

fn checked<T: Validate>((body, mut faults): (T, Vec<FieldFault>)) -> Result<T, Failure> {
    match validated(body) {
        Ok(body) if faults.is_empty() => return Ok(body),
        Ok(_) => {}
        Err(Protocol::Fields(others)) => faults.extend(others),
        Err(other) => return Err(other.into()),
    }
    faults.sort();
    Err(Protocol::Fields(faults).into())
}
