//! What the document says of the calls about tenants.

use serde_json::{Value, json};

use super::sent::Change;
use super::shape::Shape;
use crate::openapi::{Asks, Entry};

const TAG: &str = "tenants";

fn example() -> Value {
    json!({
        "id": "0192f0c1-a2b3-7c4d-8e5f-60718293a4b5",
        "slug": "corner",
        "name": "The corner shop",
        "zone": "Europe/Bratislava",
        "locale": "sk-SK",
        "limits": { "access": 300, "idle": 43200, "absolute": null, "overlap": null },
        "created_at": "2026-11-21T08:00:00.000Z",
    })
}

pub(super) fn list() -> Entry {
    Entry::of(TAG, "Lists the caller's tenant").more("It is the only one on the list.").lists::<Shape<'_>>(&example())
}

pub(super) fn one() -> Entry {
    Entry::of(TAG, "Shows the tenant")
        .more("Another's reads as one that there is not.")
        .answers::<Shape<'_>>(200, "The tenant.", example())
        .with_version()
}

pub(super) fn change() -> Entry {
    Entry::of(TAG, "Changes the tenant")
        .more(
            "Its sessions can be made shorter than the server's configuration says. A limit that is longer than what every contract \
             of the server gives them is refused (422), with the longest that it may be.",
        )
        .asks(Asks::Right("tenantUpdate"))
        .patches::<Change>(json!({ "zone": "Europe/Bratislava", "limits": { "access": 300, "absolute": null } }))
        .answers::<Shape<'_>>(200, "The tenant as it is now.", example())
        .with_version()
}
