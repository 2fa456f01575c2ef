//! Samples of PORTOS: a request for each call that accepts text, and every filter of its lists.

use serde_json::json;
use tillgate_tests::{PASSWORD, RunningServer, TillClient};

use super::{Sample, SampleBody};

/// The lists, and the source file that defines the filters of each.
const LIST_PATHS: [(&str, &str); 6] = [
    ("sessions", include_str!("../../../../../crates/http/src/api/dialects/portos/sessions.rs")),
    ("devices", include_str!("../../../../../crates/http/src/api/dialects/portos/directory.rs")),
    ("roles", include_str!("../../../../../crates/http/src/api/dialects/portos/directory.rs")),
    ("users", include_str!("../../../../../crates/http/src/api/dialects/portos/directory.rs")),
    ("apikeys", include_str!("../../../../../crates/http/src/api/dialects/portos/api_keys.rs")),
    ("tickets", include_str!("../../../../../crates/http/src/api/dialects/portos/tickets/query.rs")),
];

/// The filters of each list, read from the source. Lists that are defined in one file have all of
/// that file's filters: a list ignores those that it does not know.
pub(crate) fn read_filters() -> Vec<(&'static str, Vec<String>)> {
    let named = |code: &str| -> Vec<String> {
        let begins = ["Member::new(\"", "Member::alias(\""];
        let calls = begins.iter().flat_map(|begin| code.split(begin).skip(1));
        calls.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    };
    LIST_PATHS.iter().map(|(list, code)| (*list, named(code))).collect()
}

/// The samples of PORTOS.
pub(super) fn all_samples(server: &RunningServer) -> Vec<Sample> {
    let login = |name: &str, device: &str| {
        let body = json!({ "UserName": name, "Password": PASSWORD, "DeviceName": device });
        server.new_till().post("/portos/api/auth", &body).expect_status(200).text_at("/tokenId")
    };
    let (office, till) = (login("admin", "OFFICE"), login("manager", "P02"));
    let item = json!({
        "externalId": "x", "type": "Positive", "comment": "hot", "unitPrice": { "amount": 5 },
        "quantity": { "amount": 1, "unit": "kg" },
        "plu": {
            "name": "Syr", "description": "hard", "stockName": "S01", "code": "1", "articleCategoryLabel": "food", "type": "goods",
            "vatInfo": { "category": "1", "rate": 10 }, "orderEndpointNames": ["kitchen"], "specialRegulation": "UsedGood",
        },
    });
    let body = json!({
        "name": "Table", "externalId": "x", "items": [item], "location": { "zoneName": "Terasa", "tableName": "5" },
        "customer": {
            "id": "c1", "externalId": "x", "cardSerialNumber": "1", "firstName": "Jana", "lastName": "Malá", "fullName": "Jana Malá",
            "phone": "+421", "email": "jana@example.com", "meta": { "level": "1" }, "gender": "Female",
            "address": { "street": "Hlavná 1" },
        },
        "purchaseType": "WalkIn", "payments": [{ "type": "Cash", "name": "Cash", "amount": 0.01 }],
    });
    let ticket =
        TillClient::with_token(server, &till).post("/portos/api/tickets", &body).expect_status(201).text_at("/id");
    let key = json!({ "Name": "odd", "UserName": "admin", "DeviceName": "OFFICE" });
    let key =
        TillClient::with_token(server, &office).post("/portos/api/apikeys", &key).expect_status(201).text_at("/id");
    let cash = json!([{ "type": "Cash", "name": "Cash", "amount": 0.01 }]);
    let mut samples = vec![
        Sample::json("POST", "/portos/api/auth", json!({ "UserName": "nobody", "Password": "x", "DeviceName": "P01" }))
            .call_with_header("Accept-Language", "sk"),
        Sample::json("POST", "/portos/api/auth/refresh", json!({ "tokenId": "x", "refreshToken": "x" })),
        Sample::json("POST", "/portos/api/tickets", body.clone()).with_token(&till),
        Sample::json(
            "PUT",
            &format!("/portos/api/tickets/{ticket}"),
            json!({ "name": "x", "location": { "tableName": "5" } }),
        )
        .with_token(&till),
        Sample::json(
            "PATCH",
            "/portos/api/tickets",
            json!([{ "id": ticket, "name": "x", "employee": { "userName": "admin" } }]),
        )
        .with_token(&till),
        Sample::json(
            "POST",
            "/portos/api/apikeys",
            json!({ "Name": "x", "Description": "x", "UserName": "admin", "DeviceName": "OFFICE" }),
        )
        .with_token(&office),
        Sample::json(
            "PUT",
            &format!("/portos/api/apikeys/{key}"),
            json!({
                "Name": "x", "Description": "x", "UserName": "admin", "DeviceName": "OFFICE", "Permissions": ["storno"],
            }),
        )
        .with_token(&office),
        Sample::json(
            "POST",
            &format!("/portos/api/tickets/{ticket}/close"),
            json!({ "fiscalName": "eKasa", "eKasa": { "okp": "a" }, "fiscalMemorySerialNumber": "SN1", "payments": cash }),
        )
        .with_token(&till),
        Sample::json(
            "POST",
            &format!("/portos/api/tickets/{ticket}/close"),
            json!({ "closeInfo": { "fiscalName": "eKasa", "eKasa": { "okp": "a" } }, "payments": cash }),
        )
        .with_token(&till),
        Sample::new("GET", "/portos/api/auth", SampleBody::None).call_with_header(
            "Authorization",
            "NWS4-HMAC-SHA256 Credential%3Dnobody%2CSignedHeaders%3Dhost%2CTimestamp%3Dx%2CSignature%3D00",
        ),
    ];
    for path in ["devices/{}", "roles/{}", "users/{}", "sessions/{}", "apikeys/{}", "tickets/{}"] {
        samples.push(Sample::get(&format!("/portos/api/{path}"), &[]).with_token(&office));
    }
    for (list, members) in read_filters() {
        let options = ["$sort", "$skip", "$take", "$count", "$search", "$orderby", "$filter"].map(str::to_owned);
        let names = members.into_iter().chain(options);
        samples.extend(names.map(|name| Sample::get(&format!("/portos/api/{list}"), &[&name]).with_token(&office)));
    }
    samples
}
