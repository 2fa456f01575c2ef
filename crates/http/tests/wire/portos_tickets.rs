//! PORTOS' tickets in the published formats.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::test_server::{self, TestResponse, TestServer, build_request, post_request, put_request};

/// The item of the published example: 1.234 units at 5.363636 without 10 % VAT.
pub fn item() -> Value {
    json!({ "type": "Positive", "plu": { "name": "Syr", "vatInfo": { "category": 1, "rate": 10 } },
            "unitPrice": { "amount": 5.363_636 }, "quantity": { "amount": 1.234, "unit": "kg" } })
}

pub fn bearer(request: TestRequest, token: &str) -> TestRequest {
    test_server::with_bearer(request, token).insert_header(("Accept-Language", "en"))
}

pub fn patch(path: &str, body: Value) -> TestRequest {
    build_request(Method::PATCH, path).set_json(body)
}

/// A server with this user at a till.
pub async fn log_in_at(shop: &TestServer, user: &str, device: &str) -> String {
    shop.log_in_portos(user, device).await.text_at("/tokenId")
}

pub async fn open_ticket(shop: &TestServer, token: &str, body: Value) -> TestResponse {
    let response = shop.send(bearer(post_request("/portos/api/tickets", body), token)).await;
    assert_eq!(response.status, 201, "{}", response.json());
    response
}

pub fn ids(response: &TestResponse) -> Vec<String> {
    let items = response.json()["items"].as_array().unwrap_or_else(|| panic!("{}", response.json())).clone();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// A request of the rights matrix about tickets, on a till.
pub async fn request(
    shop: &TestServer,
    method: &str,
    path: &str,
    own: bool,
    (someone, known): (&str, bool),
) -> TestRequest {
    let witness = log_in_at(shop, "witness", "PDA1").await;
    let theirs = open_ticket(shop, &witness, json!({ "items": [item()] })).await.text_at("/id");
    let token = log_in_at(shop, someone, "P01").await;
    let id = if own {
        // a colleague opens the ticket if the user may not
        open_ticket(shop, &token, json!({ "items": [item()] })).await.text_at("/id")
    } else {
        theirs
    };
    let path = path.replace("{id}", &id);
    let request = match method {
        "POST" => post_request(&path, json!({ "items": [item()] })),
        "PUT" => put_request(&path, json!({ "location": { "tableName": "5" } })),
        "PATCH" => patch(&path, json!([{ "id": id, "location": { "tableName": "5" } }])),
        method => build_request(method.parse().unwrap(), &path),
    };
    if known { bearer(request, &token) } else { request }
}

#[actix_web::test]
async fn published_example_matches_to_the_last_digit() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "cashier", "P01").await;
    let customer = json!({ "id": "c1", "fullName": "Jana Veľká", "discountRate": 20, "meta": { "level": 1.50 } });
    let sent = json!({ "ExternalId": "x-1", "CUSTOMER": customer, "discountRate": 20, "Items": [item()],
                       "location": { "zoneName": "Terasa", "tableName": "5" }, "state": "Closed", "type": "?" });
    let response = open_ticket(&shop, &token, sent).await;
    let id = response.text_at("/id");
    assert_eq!(response.header("location"), format!("/portos/api/tickets/{id}"));
    assert_eq!(response.header("content-type"), "application/json");
    let text = String::from_utf8(response.bytes.clone()).unwrap();
    for exact in [
        r#""unitPrice":{"amount":5.363636,"amountIncludingVat":5.9,"amountAfterDiscount":4.290909,"amountAfterDiscountIncludingVat":4.72}"#,
        r#""quantity":{"amount":1.234,"unit":"kg"}"#,
        r#""totalPriceIncludingVat":7.28,"totalPriceAfterDiscountIncludingVat":5.82,"discountPriceIncludingVat":1.46"#,
        r#""payable":5.82"#,
    ] {
        assert!(text.contains(exact), "{exact} in {text}");
    }
    let row = json!({
        "id": id, "externalId": "x-1", "state": "Opened", "type": "CashRegister", "name": null,
        "openDate": "2026-11-21T12:00:00.000Z", "issueDate": null, "closeDate": null, "closeInfo": null,
        "purchaseType": "WalkIn", "location": { "zoneName": "Terasa", "tableName": "5" },
        "customer": { "id": "c1", "externalId": null, "cardSerialNumber": null, "firstName": null, "lastName": null,
                      "fullName": "Jana Veľká", "phone": null, "email": null, "creditRate": 0, "discountRate": 20,
                      "meta": { "level": 1.5 } },
        "originDeviceName": "P01", "employee": { "name": "Cora Cashier", "userName": "cashier", "featureName": null },
        "items": [{
            "id": 1, "externalId": null, "type": "Positive",
            "plu": { "name": "Syr", "description": null, "stockName": null, "code": null, "articleCategoryLabel": null,
                     "vatInfo": { "category": 1, "rate": 10 }, "isDiscountAllowed": true, "isPriceFixed": false,
                     "isSplittable": false, "orderEndpointNames": [], "type": null, "isCashbackAllowed": false },
            "comment": null,
            "unitPrice": { "amount": 5.363_636, "amountIncludingVat": 5.9, "amountAfterDiscount": 4.290_909,
                           "amountAfterDiscountIncludingVat": 4.72 },
            "quantity": { "amount": 1.234, "unit": "kg" }, "discountRate": 0,
            "totalPriceIncludingVat": 7.28, "totalPriceAfterDiscountIncludingVat": 5.82,
            "discountPriceIncludingVat": 1.46
        }],
        "discountRate": 20, "roundingAmount": 0, "payments": [], "_v": 1,
        "totalPriceIncludingVat": 7.28, "totalPriceAfterDiscountIncludingVat": 5.82,
        "discountPriceIncludingVat": 1.46, "payable": 5.82
    });
    assert_eq!(response.json(), row);
    for path in ["/portos/api/tickets", "/portos/api/v1/tickets"] {
        assert_eq!(shop.get(&format!("{path}/{id}"), &token).await.json(), row);
        assert_eq!(shop.get(path, &token).await.json(), json!({ "items": [row], "count": 1, "totalCount": 1 }));
    }
    // closed without payments, so the total was paid in cash, and the receipt gets the till's next
    // number
    let closed =
        shop.send(bearer(build_request(Method::POST, &format!("/portos/api/tickets/{id}/close")), &token)).await;
    let mut expected = row;
    expected["state"] = json!("Closed");
    expected["issueDate"] = json!("2026-11-21T12:00:00.000Z");
    expected["closeDate"] = json!("2026-11-21T12:00:00.000Z");
    expected["closeInfo"] =
        json!({ "number": 1, "fiscalName": "eKasa", "deviceName": "P01", "dailySalesReportNumber": null });
    expected["payments"] = json!([{ "type": "Cash", "name": null, "amount": 5.82 }]);
    expected["_v"] = json!(2);
    assert_eq!((closed.status.as_u16(), closed.json()), (200, expected.clone()));
    assert_eq!(shop.get(&format!("/portos/api/tickets/{id}"), &token).await.json(), expected);
    // closing is permanent
    let path = format!("/portos/api/tickets/{id}");
    for request in [
        put_request(&path, json!({ "name": "x" })),
        build_request(Method::DELETE, &path),
        build_request(Method::POST, &format!("{path}/close")),
        patch("/portos/api/tickets", json!([{ "id": id, "externalId": "y" }])),
    ] {
        let refused = shop.send(bearer(request, &log_in_at(&shop, "admin", "PDA1").await)).await;
        assert_eq!(refused.status, 409, "{}", refused.json());
        assert_eq!(
            refused.json()["detail"],
            json!("The ticket is closed and cannot be changed; refund its items instead.")
        );
    }
    assert_eq!(shop.get(&path, &token).await.json(), expected);
}

#[actix_web::test]
async fn ticket_is_created_and_changed_under_a_client_id() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "cashier", "P01").await;
    let (id, path) = ("635f7ae3072edfeae7c26a1e", "/portos/api/tickets/635F7AE3072EDFEAE7C26A1E");
    let made = shop.send(bearer(put_request(path, json!({ "items": [item()] })), &token)).await;
    assert_eq!((made.status.as_u16(), made.text_at("/id").as_str()), (201, id));
    let changed = shop.send(bearer(put_request(path, json!({ "_v": 1, "externalId": "7" })), &token)).await;
    assert_eq!((changed.status.as_u16(), &changed.json()["_v"]), (200, &json!(2)));
    assert_eq!(changed.json()["items"], made.json()["items"], "what it does not say stays as it is");
    let same = shop.send(bearer(put_request(path, json!({ "_v": 2, "externalId": "7" })), &token)).await;
    assert_eq!((same.status.as_u16(), &same.json()["_v"]), (200, &json!(2)), "nothing was changed");
    let late = shop.send(bearer(put_request(path, json!({ "_v": 1, "externalId": "8" })), &token)).await;
    let problem = json!({ "title": "Precondition Failed", "status": 412,
        "detail": "The record has been changed in the meantime. Read it again.", "instance": path.trim_start_matches("/portos"),
        "errorCode": "ResourceVersionMismatch", "traceId": "…", "resource": { "name": "Ticket", "id": id, "version": 2 } });
    assert_eq!((late.status.as_u16(), late.json_masked(&["/traceId"])), (412, problem));
    let slovak = shop
        .send(put_request(path, json!({ "_v": 1 })).insert_header(("Authorization", format!("Bearer {token}"))))
        .await;
    assert_eq!((slovak.status.as_u16(), slovak.header("content-language")), (412, "sk-SK"));
    assert_eq!(slovak.text_at("/detail"), "Záznam medzitým niekto zmenil. Načítajte ho znova.");
    for nothing in ["x", "00000000-0000-7000-8000-00000000000", "635f7ae3072edfeae7c26a1f"] {
        assert_eq!(shop.get(&format!("/portos/api/tickets/{nothing}"), &token).await.status, 404, "{nothing}");
    }
    // the id is in use and cannot be created by POST again
    let taken = shop.send(bearer(post_request("/portos/api/tickets", json!({ "id": id })), &token)).await;
    assert_eq!((taken.status.as_u16(), taken.json()["errors"][0]["code"].clone()), (400, json!(2)));
    assert_eq!(taken.json()["errors"][0]["memberName"], json!("Id"));
}

#[actix_web::test]
async fn several_tickets_are_changed_atomically() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let [one, two] = [1, 2].map(|number| json!({ "externalId": number.to_string(), "items": [item()] }));
    let (one, two) =
        (open_ticket(&shop, &token, one).await.text_at("/id"), open_ticket(&shop, &token, two).await.text_at("/id"));
    let send = async |body: Value| shop.send(bearer(patch("/portos/api/tickets", body), &token)).await;
    let both = send(json!([{ "id": two, "name": "b", "_v": 1 }, { "id": one, "name": "a", "_v": 1 }])).await;
    assert_eq!((both.status.as_u16(), ids(&both)), (200, vec![two.clone(), one.clone()]));
    assert_eq!(both.json()["items"][0]["name"], json!("b"));
    let late =
        send(json!({ "items": [{ "id": one, "name": "c", "_v": 2 }, { "id": two, "name": "c", "_v": 1 }] })).await;
    assert_eq!(
        (late.status.as_u16(), &late.json()["resource"]),
        (412, &json!({ "name": "Ticket", "id": two, "version": 2 }))
    );
    let unknown = send(json!([{ "id": one, "name": "d" }, { "id": "635f7ae3072edfeae7c26a1f" }])).await;
    assert_eq!(unknown.status, 404);
    let list = shop.get("/portos/api/tickets?$sort=-externalId", &token).await.json();
    assert_eq!(
        (&list["items"][0]["name"], &list["items"][1]["name"]),
        (&json!("b"), &json!("a")),
        "neither was changed"
    );
    for wrong in [json!("x"), json!({ "items": 1 }), json!([{ "name": "x" }]), json!([1])] {
        let refused = send(wrong.clone()).await;
        assert_eq!(
            (refused.status.as_u16(), refused.text_at("/errorCode").as_str()),
            (400, "ValidationFailed"),
            "{wrong}"
        );
    }
    assert_eq!(send(json!([])).await.json(), json!({ "items": [] }));
}

#[actix_web::test]
async fn all_body_violations_are_reported_at_once() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "cashier", "P01").await;
    let sent = json!({ "name": 1, "_v": "x", "discountRate": 101, "roundingAmount": 0.001, "location": "5",
        "customer": { "discountRate": "5" }, "employee": { "userName": "a@b" }, "payments": [{}, { "amount": 1.005 }],
        "items": [{ "quantity": { "amount": 1.234_567_8 } }, 7,
                  { "id": -1, "type": "Free", "unitPrice": { "amount": "1" }, "quantity": {}, "plu": { "isPriceFixed": 1 } }] });
    let refused = shop.send(bearer(post_request("/portos/api/tickets", sent), &token)).await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/errorCode").as_str()), (400, "ValidationFailed"));
    let errors = refused.json()["errors"].as_array().unwrap().clone();
    let found: Vec<(&str, &Value)> =
        errors.iter().map(|error| (error["memberName"].as_str().unwrap(), &error["code"])).collect();
    let (one, none) = (json!(1), Value::Null);
    assert_eq!(
        found,
        [
            ("Customer.DiscountRate", &none),
            ("DiscountRate", &none),
            ("Employee.UserName", &none),
            ("Items[0].Quantity.Amount", &none),
            ("Items[0].UnitPrice", &one),
            ("Items[1]", &none),
            ("Items[1].Quantity", &one),
            ("Items[1].UnitPrice", &one),
            ("Items[2].Id", &none),
            ("Items[2].Plu.IsPriceFixed", &none),
            ("Items[2].Quantity.Amount", &one),
            ("Items[2].Type", &none),
            ("Items[2].UnitPrice.Amount", &none),
            ("Location", &none),
            ("Name", &none),
            ("Payments[0].Amount", &one),
            ("Payments[1].Amount", &none),
            ("RoundingAmount", &none),
            ("_v", &none),
        ]
    );
    // numbers keep their digits: this is not the double 0.1
    let raw = |amount: &str| {
        let body = format!(r#"{{"items":[{{"unitPrice":{{"amount":{amount}}},"quantity":{{"amount":1}}}}]}}"#);
        build_request(Method::POST, "/portos/api/tickets")
            .insert_header(("content-type", "application/json"))
            .set_payload(body)
    };
    for (amount, expected) in [
        ("0.10000000000000000001", None),
        ("0.100000", Some("0.1")),
        ("1e-1", Some("0.1")),
        ("999999999.999999", Some("999999999.999999")),
        ("1000000000", None),
    ] {
        let response = shop.send(bearer(raw(amount), &token)).await;
        let text = String::from_utf8(response.bytes.clone()).unwrap();
        match expected {
            Some(expected) => {
                assert!(text.contains(&format!("\"unitPrice\":{{\"amount\":{expected},")), "{amount}: {text}");
            }
            None => assert_eq!(response.status, 400, "{amount}: {text}"),
        }
    }
    // violations of the whole ticket are reported for a member too
    let twice = json!({ "items": [{ "id": 1, "unitPrice": { "amount": 1 }, "quantity": { "amount": 1 } },
                                  { "id": 1, "unitPrice": { "amount": 1 }, "quantity": { "amount": 1 } }] });
    let refused = shop.send(bearer(post_request("/portos/api/tickets", twice), &token)).await;
    assert_eq!((refused.status.as_u16(), refused.json()["errors"][0]["memberName"].clone()), (400, json!("Items")));
    let nobody = json!({ "employee": { "userName": "nobody" } });
    let refused = shop.send(bearer(post_request("/portos/api/tickets", nobody), &token)).await;
    assert_eq!(refused.json()["errors"][0]["memberName"], json!("Employee.UserName"));
}

#[actix_web::test]
async fn closing_requires_full_payment() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "cashier", "P01").await;
    let close = async |payments: Value| {
        let body = json!({ "items": [{ "unitPrice": { "amount": 10 }, "quantity": { "amount": 1 } }] });
        let id = open_ticket(&shop, &token, body).await.text_at("/id");
        let request = post_request(&format!("/portos/api/tickets/{id}/close"), json!({ "Payments": payments }));
        shop.send(bearer(request, &token)).await
    };
    let refused = close(json!([{ "name": "Karta", "amount": 9.99 }])).await;
    assert_eq!(
        (refused.status.as_u16(), refused.text_at("/detail")),
        (409, "0.01 is still due; add a payment.".into())
    );
    assert_eq!(close(json!([{ "name": "Karta", "amount": 10.01 }])).await.status, 409);
    assert_eq!(close(json!([{ "amount": 0 }])).await.status, 400);
    let paid = close(json!([{ "name": "Karta", "amount": 4 }, { "type": "cash", "amount": 7 }, ])).await;
    assert_eq!(paid.status, 200, "{}", paid.json());
    let expected =
        json!([{ "type": "Card", "name": "Karta", "amount": 4 }, { "type": "Cash", "name": null, "amount": 7 }]);
    assert_eq!(paid.json()["payments"], expected);
    assert_eq!(paid.json()["closeInfo"]["number"], json!(1), "what was refused has taken no number");
}

#[actix_web::test]
async fn vat_category_is_a_number_or_a_text() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "cashier", "P01").await;
    let with = |category: Value| {
        json!({ "items": [{ "plu": { "vatInfo": { "category": category } }, "unitPrice": { "amount": 1 },
                            "quantity": { "amount": 1 } }] })
    };
    let category = "/items/0/plu/vatInfo/category";
    for (sent, reported) in [
        (json!(1), json!(1)),
        (json!(10), json!(10)),
        (json!(2.0), json!(2)),
        (json!("7"), json!(7)),
        (json!("A"), json!("A")),
        (json!("11"), json!("11")),
        (json!("01"), json!("01")),
        (json!(null), json!(null)),
        (json!(""), json!(null)),
    ] {
        let made = open_ticket(&shop, &token, with(sent.clone())).await;
        assert_eq!(made.json().pointer(category), Some(&reported), "{sent}");
        let path = format!("/portos/api/tickets/{}", made.text_at("/id"));
        let again = shop.send(bearer(put_request(&path, made.json()), &token)).await;
        assert_eq!((again.status.as_u16(), again.json().pointer(category)), (200, Some(&reported)), "{sent} sent back");
    }
    for wrong in [json!(0), json!(11), json!(1.5), json!(-1), json!(true), json!([1])] {
        let refused = shop.send(bearer(post_request("/portos/api/tickets", with(wrong.clone())), &token)).await;
        assert_eq!(refused.status, 400, "{wrong}");
        assert_eq!(refused.text_at("/errors/0/memberName"), "Items[0].Plu.VatInfo.Category", "{wrong}");
    }
    // the native API returns it as text
    let made = open_ticket(&shop, &token, with(json!(3))).await.text_at("/id");
    let native = shop.log_in_native("manager").await.text_at("/access_token");
    let shown = shop.get(&format!("/api/v1/tickets/{made}"), &native).await;
    assert_eq!(shown.text_at("/items/0/article/vat_category"), "3");
}

#[actix_web::test]
async fn extra_published_members_round_trip() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "cashier", "P01").await;
    let customer = json!({ "id": "c1", "Gender": "Female", "birthDate": "1990-01-31", "isCompany": false, "company": null,
        "address": { "Street": "Hlavná 1", "street": "x", "city": "Žilina", "lines": [1, 2.5] }, "deliveryAddress": null,
        "meta": { "a": 1, "A": [{ "b": 1, "B": 2 }] }, "unknown": 1 });
    let article = json!({ "name": "Syr", "SpecialRegulation": "UsedGood" });
    let body = json!({ "customer": customer,
        "meta": { "passed": 1, "Passed": 2 },
        "items": [{ "plu": article, "unitPrice": { "amount": 1 }, "quantity": { "amount": 1 } }] });
    let made = open_ticket(&shop, &token, body).await.json();
    for (name, value) in [
        ("gender", json!("Female")),
        ("birthDate", json!("1990-01-31")),
        ("isCompany", json!(false)),
        ("company", Value::Null),
        ("address", json!({ "Street": "Hlavná 1", "street": "x", "city": "Žilina", "lines": [1, 2.5] })),
        ("meta", json!({ "a": 1, "A": [{ "b": 1, "B": 2 }] })),
        ("deliveryAddress", Value::Null),
    ] {
        assert_eq!(made["customer"].get(name), Some(&value), "{name}");
    }
    assert_eq!(made["customer"].get("unknown"), None, "what is not published is passed over");
    assert_eq!(made["items"][0]["plu"]["specialRegulation"], json!("UsedGood"));
    let path = format!("/portos/api/tickets/{}", made["id"].as_str().unwrap());
    let same = shop.send(bearer(put_request(&path, made.clone()), &token)).await;
    assert_eq!((same.status.as_u16(), &same.json()), (200, &made), "sent back, it changes nothing");
    // a change by the native API keeps these members
    let native = crate::tickets::log_in_at(&shop, "manager", "PDA1").await;
    let id = made["id"].as_str().unwrap();
    let shown = shop.get(&format!("/api/v1/tickets/{id}"), &native).await;
    assert_eq!(shown.json()["customer"]["extra"]["gender"], json!("Female"));
    assert_eq!(shown.json()["items"][0]["article"]["extra"], json!({ "specialRegulation": "UsedGood" }));
    let both = json!({ "customer": { "extra": { "gender": "Male", "id": "another" } } });
    let change = patch(&format!("/api/v1/tickets/{id}"), both).insert_header(("If-Match", "*"));
    let patched = shop.send(bearer(change, &native)).await;
    assert_eq!(patched.status.as_u16(), 200);
    let shown = shop.get(&path, &token).await;
    assert_eq!(shown.json()["customer"]["id"], json!("c1"), "no published member stands twice");
    assert_eq!(shown.json()["customer"]["gender"], json!("Male"));
    let close = json!({ "closeInfo": { "number": 7, "eKasa": { "okp": "a-b", "online": true }, "fiscalMemorySerialNumber": "SN1" } });
    let closed = shop.send(bearer(post_request(&format!("{path}/close"), close), &token)).await;
    assert_eq!(
        closed.json()["closeInfo"],
        json!({ "number": 7, "fiscalName": "eKasa", "deviceName": "P01", "dailySalesReportNumber": null,
                "eKasa": { "okp": "a-b", "online": true }, "fiscalMemorySerialNumber": "SN1" })
    );
    assert_eq!(shop.get(&path, &token).await.json(), closed.json());
    let long = json!({ "customer": { "address": { "street": "x".repeat(4_000) } } });
    let refused = shop.send(bearer(post_request("/portos/api/tickets", long), &token)).await;
    assert_eq!((refused.status.as_u16(), refused.text_at("/errors/0/memberName")), (400, "Customer.Address".into()));
}
