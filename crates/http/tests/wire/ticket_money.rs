//! Amounts on tickets in the native API and PORTOS: currencies, cash rounding, refunds, receipt
//! numbers, and changes by closing.

use serde_json::{Value, json};
use tillgate_domain::office::{DeviceChange, SettingsChange};

use crate::portos_tickets as portos;
use crate::test_server::{TestResponse, TestServer, post_request, put_request, with_bearer};
use crate::tickets::{TICKETS_PATH, log_in_at, open_ticket, path_of, plain_item, problem_code, send};

async fn close(shop: &TestServer, token: &str, ticket: &TestResponse, body: Value) -> TestResponse {
    send(shop, token, "POST", &format!("{}/close", path_of(ticket)), Some("*"), Some(body)).await
}

async fn refund(shop: &TestServer, token: &str, ticket: &TestResponse, id: u32) -> TestResponse {
    let body = json!({ "items": [{ "id": id, "quantity": "1" }] });
    let response = send(shop, token, "POST", &format!("{}/refund", path_of(ticket)), None, Some(body)).await;
    assert_eq!(response.status, 201, "{}", response.json());
    response
}

fn cash(amount: &str) -> Value {
    json!({ "payments": [{ "means": "cash", "amount": amount }] })
}

#[actix_web::test]
async fn refund_returns_full_price_beside_a_returned_deposit() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    for deposit in ["-3", "-12"] {
        let bottle = json!({ "kind": "negative", "unit_price": deposit, "quantity": "1" });
        let body = json!({ "currency": "EUR", "items": [plain_item("10", "1"), bottle] });
        let ticket = open_ticket(&shop, &token, body).await;
        assert_eq!(close(&shop, &token, &ticket, cash(&ticket.text_at("/payable"))).await.status, 200);
        assert_eq!(refund(&shop, &token, &ticket, 1).await.text_at("/payable"), "-10.00", "{deposit}");
    }
}

#[actix_web::test]
async fn cash_refund_is_rounded_and_paid_out_as_the_sale_was() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let body =
        json!({ "currency": "EUR", "rounding": "0.02", "items": [plain_item("5.20", "1"), plain_item("5.03", "1")] });
    let ticket = open_ticket(&shop, &token, body).await;
    assert_eq!(close(&shop, &token, &ticket, cash("10.25")).await.status, 200);
    let back = refund(&shop, &token, &ticket, 2).await;
    let wide = send(&shop, &token, "PATCH", &path_of(&back), Some("*"), Some(json!({ "rounding": "-0.05" }))).await;
    assert_eq!((wide.status.as_u16(), wide.text_at("/errors/0/pointer").as_str()), (422, "/rounding"));
    let changed = send(&shop, &token, "PATCH", &path_of(&back), Some("*"), Some(json!({ "rounding": "-0.02" }))).await;
    assert_eq!((changed.status.as_u16(), changed.text_at("/payable").as_str()), (200, "-5.05"));
    assert_eq!(close(&shop, &token, &back, cash("-5.05")).await.status, 200);
    assert_eq!(refund(&shop, &token, &ticket, 1).await.text_at("/payable"), "-5.20", "what is left of what was paid");
}

#[actix_web::test]
async fn amounts_have_the_decimal_places_of_their_currency() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let pointer = "/payments/0/amount";
    for (currency, price, payable, odd, change) in [
        ("KWD", "1.234", "1.234", "0.0005", "0.000"),
        ("JPY", "100.4", "100", "0.5", "0"),
        ("EUR", "1.234", "1.23", "0.005", "0.00"),
    ] {
        let body = json!({ "currency": currency, "items": [plain_item(price, "1")] });
        let ticket = open_ticket(&shop, &token, body).await;
        assert_eq!(ticket.text_at("/payable"), payable, "{currency}");
        assert_eq!(ticket.text_at("/items/0/totals/including_vat"), payable, "{currency}");
        // amounts are never truncated: excess decimal places are rejected everywhere
        let mut sent = cash(odd);
        let refused = send(&shop, &token, "PATCH", &path_of(&ticket), Some("*"), Some(sent.clone())).await;
        assert_eq!(
            (refused.status.as_u16(), refused.text_at("/errors/0/pointer").as_str()),
            (422, pointer),
            "{currency}"
        );
        let refused = close(&shop, &token, &ticket, sent.clone()).await;
        assert_eq!(
            (refused.status.as_u16(), refused.text_at("/errors/0/pointer").as_str()),
            (422, pointer),
            "{currency}"
        );
        sent["currency"] = json!(currency);
        let refused = send(&shop, &token, "POST", TICKETS_PATH, None, Some(sent)).await;
        assert_eq!(
            (refused.status.as_u16(), refused.text_at("/errors/0/pointer").as_str()),
            (422, pointer),
            "{currency}"
        );
        // and is returned as it was paid
        let paid = close(&shop, &token, &ticket, cash(payable)).await;
        assert_eq!((paid.status.as_u16(), paid.text_at("/change").as_str()), (200, change), "{currency}");
    }
    // a JSON number may have an exponent, a decimal may not
    for exponent in ["1e3", "1E0", "0e0", "1.5e+1", "100e-2"] {
        let mut sent = cash(exponent);
        sent["currency"] = json!("EUR");
        sent["items"] = json!([plain_item(exponent, exponent)]);
        sent["discount_rate"] = json!(exponent);
        sent["rounding"] = json!(exponent);
        let refused = send(&shop, &token, "POST", TICKETS_PATH, None, Some(sent)).await;
        let expected = crate::office::expected_pointers(&[
            ("/discount_rate", "range"),
            ("/items/0/unit_price", "range"),
            ("/items/0/quantity", "range"),
            ("/payments/0/amount", "range"),
            ("/rounding", "range"),
        ]);
        let found = crate::office::violations(&refused).2;
        assert_eq!((found.len(), expected.iter().all(|each| found.contains(each))), (5, true), "{exponent}: {found:?}");
    }
    let unknown = send(&shop, &token, "POST", TICKETS_PATH, None, Some(json!({ "currency": "ABC" }))).await;
    assert_eq!((unknown.status.as_u16(), unknown.text_at("/errors/0/pointer").as_str()), (422, "/currency"));
}

#[actix_web::test]
async fn cash_rounding_is_less_than_the_smallest_coin() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    for (currency, price, rounding, status) in [
        ("HUF", "1002", "-2.00", 201),
        ("HUF", "1002", "-5.00", 422),
        ("CLP", "994", "-4", 201),
        ("CLP", "994", "-4.5", 422),
        ("IDR", "10040", "-40", 201),
        ("CHF", "1.02", "-0.02", 201),
        ("CHF", "1.02", "0.05", 422),
        ("EUR", "1.02", "-0.02", 201),
        ("EUR", "1.02", "0.98", 422),
        ("USD", "1.02", "-0.02", 201),
        ("USD", "1.02", "0.98", 422),
        ("GBP", "1.02", "0.98", 422),
        ("GBP", "1.02", "-0.01", 422),
        ("PLN", "1.02", "-0.02", 422),
        ("RON", "1.02", "0.98", 422),
        ("KWD", "1.234", "0.001", 201),
        ("LYD", "1.234", "0.001", 422),
    ] {
        let body = json!({ "currency": currency, "rounding": rounding, "items": [plain_item(price, "1")] });
        let response = send(&shop, &token, "POST", TICKETS_PATH, None, Some(body)).await;
        assert_eq!(response.status, status, "{currency} {rounding}");
        if status == 422 {
            assert_eq!(response.text_at("/errors/0/pointer"), "/rounding", "{currency} {rounding}");
        }
    }
}

#[actix_web::test]
async fn every_unpayable_amount_is_reported() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let payments = json!([
        { "means": "cash", "amount": "1.005" }, { "means": "cash", "amount": "1" }, { "means": "card", "amount": "0.001" }
    ]);
    let odd = json!({ "rounding": "0.001", "payments": payments, "name": 7 });
    let expected = ["/name", "/payments/0/amount", "/payments/2/amount", "/rounding"];
    let named = |response: &TestResponse| {
        let errors = response.json()["errors"].as_array().unwrap_or_else(|| panic!("{}", response.json())).clone();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut new = odd.clone();
    new["currency"] = json!("EUR");
    let refused = send(&shop, &token, "POST", TICKETS_PATH, None, Some(new)).await;
    assert_eq!((refused.status.as_u16(), named(&refused)), (422, expected.map(str::to_owned).to_vec()));
    let ticket = open_ticket(&shop, &token, json!({ "currency": "EUR", "items": [plain_item("1", "1")] })).await;
    let refused = send(&shop, &token, "PATCH", &path_of(&ticket), Some("*"), Some(odd)).await;
    assert_eq!((refused.status.as_u16(), named(&refused)), (422, expected.map(str::to_owned).to_vec()));
    // all violations of the ticket are reported, too
    let refused = close(&shop, &token, &ticket, json!({ "payments": payments })).await;
    assert_eq!(
        (refused.status.as_u16(), named(&refused)),
        (422, expected[1..3].iter().map(|at| (*at).to_owned()).collect())
    );
    let twice = json!({ "currency": "EUR", "rounding": "0.05", "items": [
        { "id": 1, "unit_price": "1", "quantity": "1" }, { "id": 1, "unit_price": "1", "quantity": "1" }
    ] });
    let refused = send(&shop, &token, "POST", TICKETS_PATH, None, Some(twice)).await;
    let found = (refused.status.as_u16(), named(&refused));
    assert_eq!(found, (422, ["/items", "/rounding"].map(str::to_owned).to_vec()), "{}", refused.json());
    // with those of other fields
    let odd = json!({ "currency": "EUR", "rounding": "0.07", "name": "\u{0}", "items": [
        { "id": 1, "unit_price": "1", "quantity": "1" }, { "id": 1, "unit_price": "1", "quantity": "1" }
    ] });
    let expected = (422, ["/items", "/name", "/rounding"].map(str::to_owned).to_vec());
    let refused = send(&shop, &token, "POST", TICKETS_PATH, None, Some(odd.clone())).await;
    assert_eq!((refused.status.as_u16(), named(&refused)), expected, "{}", refused.json());
    let mut patch = odd;
    patch.as_object_mut().unwrap().remove("currency");
    let refused = send(&shop, &token, "PATCH", &path_of(&ticket), Some("*"), Some(patch)).await;
    assert_eq!((refused.status.as_u16(), named(&refused)), expected, "{}", refused.json());
    // and through PORTOS
    let till = portos::log_in_at(&shop, "manager", "PDA1").await;
    let body = json!({ "roundingAmount": 0.001, "payments": [{ "amount": 1.005 }, { "amount": 0.001 }] });
    let path = format!("/portos/api/tickets/{}", ticket.text_at("/id"));
    let refused = shop.send(portos::bearer(put_request(&path, body), &till)).await;
    let errors = refused.json()["errors"].as_array().unwrap().len();
    assert_eq!((refused.status.as_u16(), errors), (400, 3), "{}", refused.json());
}

#[actix_web::test]
async fn ticket_of_any_currency_is_usable_through_portos() {
    let shop = TestServer::start();
    let native = log_in_at(&shop, "manager", "P01").await;
    let till = portos::log_in_at(&shop, "manager", "PDA1").await;
    for (currency, price, payable, odd) in [("KWD", "1.235", 1.235, 0.0005), ("JPY", "100", 100.0, 0.5)] {
        let payments = json!([{ "means": "card", "amount": price }]);
        let body = json!({ "currency": currency, "items": [plain_item(price, "1")], "payments": payments });
        let id = open_ticket(&shop, &native, body).await.text_at("/id");
        let listed = shop.get(&format!("/portos/api/tickets?CurrencyLabel={currency}"), &till).await;
        assert_eq!(portos::ids(&listed), std::slice::from_ref(&id), "{currency}");
        assert_eq!(listed.json()["items"][0]["payable"].as_f64(), Some(payable), "{currency}");
        let path = format!("/portos/api/tickets/{id}");
        let shown = shop.get(&path, &till).await.json();
        assert_eq!(shown["payments"][0]["amount"].as_f64(), Some(payable), "{currency}");
        let back = shop.send(with_bearer(put_request(&path, shown.clone()), &till)).await;
        assert_eq!((back.status.as_u16(), back.json()), (200, shown.clone()), "{currency}: nothing differs");
        // the currency of the ticket applies
        let wrong = json!({ "payments": [{ "type": "Card", "amount": odd }] });
        for request in [put_request(&path, wrong.clone()), post_request(&format!("{path}/close"), wrong)] {
            let refused = shop.send(portos::bearer(request, &till)).await;
            let codes = (refused.status.as_u16(), refused.text_at("/errorCode"));
            assert_eq!(codes, (400, "ValidationFailed".to_owned()), "{currency}: {}", refused.json());
        }
        let paid = json!({ "payments": shown["payments"] });
        let closed = shop.send(with_bearer(post_request(&format!("{path}/close"), paid), &till)).await;
        assert_eq!((closed.status.as_u16(), closed.text_at("/state").as_str()), (200, "Closed"), "{currency}");
    }
}

#[actix_web::test]
async fn receipt_number_is_unique_across_contracts() {
    let shop = TestServer::start();
    let token = log_in_at(&shop, "manager", "P01").await;
    let sell = async |body: Value| {
        let ticket = open_ticket(&shop, &token, json!({ "currency": "EUR", "items": [plain_item("1", "1")] })).await;
        let mut all = cash("1");
        all.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        close(&shop, &token, &ticket, all).await
    };
    let number = |response: &TestResponse| response.json()["closed"]["number"].as_u64();
    assert_eq!(number(&sell(json!({})).await), Some(1));
    assert_eq!(number(&sell(json!({ "number": 2 })).await), Some(2));
    assert_eq!(number(&sell(json!({})).await), Some(3));
    assert_eq!(number(&sell(json!({ "number": 777, "fiscal": "FM1" })).await), Some(777));
    let twice = sell(json!({ "number": 777, "fiscal": "FM1" })).await;
    assert_eq!(problem_code(&twice), (409, "receipt_number_taken".into()));
    let spelled = sell(json!({ "number": 777, "fiscal": " fm1" })).await;
    assert_eq!(problem_code(&spelled), (409, "receipt_number_taken".into()));
    let blank = sell(json!({ "fiscal": "\u{3000} ", "number": "x" })).await;
    let faults = |response: &TestResponse| crate::office::violations(response).2;
    assert_eq!(faults(&blank), crate::office::expected_pointers(&[("/fiscal", "required"), ("/number", "type")]));
    assert_eq!(number(&sell(json!({ "fiscal": "" })).await), Some(4), "the device's own numbers");
    for hidden in ["FM1\u{200b}", "F\u{202e}M1", "\u{2060}FM1"] {
        let hidden = sell(json!({ "fiscal": hidden })).await;
        assert_eq!(faults(&hidden), crate::office::expected_pointers(&[("/fiscal", "format")]));
        assert_eq!(hidden.json()["errors"][0]["rule"], json!("disallowed_character"));
    }
    // the same number series through PORTOS
    let till = portos::log_in_at(&shop, "manager", "PDA1").await;
    let ticket = portos::open_ticket(&shop, &till, json!({ "items": [portos::item()] })).await;
    let path = format!("/portos/api/tickets/{}/close", ticket.text_at("/id"));
    let body = json!({ "closeInfo": { "number": 777, "fiscalName": "FM1" } });
    let twice = shop.send(with_bearer(post_request(&path, body), &till).insert_header(("accept-language", "en"))).await;
    assert_eq!(twice.status, 409, "{}", twice.json());
    for body in [
        json!({ "fiscalName": " " }),
        json!({ "closeInfo": { "fiscalName": "\t" } }),
        json!({ "fiscalName": "FM1\u{200b}" }),
    ] {
        let blank = shop.send(with_bearer(post_request(&path, body), &till)).await;
        assert_eq!(blank.status, 400, "{}", blank.json());
        assert!(blank.text_at("/errors/0/memberName").ends_with("FiscalName"), "{}", blank.json());
    }
    let closed = shop.send(with_bearer(post_request(&path, json!({ "fiscalName": "FM1" })), &till)).await;
    assert_eq!(closed.json()["closeInfo"]["number"], json!(1));
}

#[actix_web::test]
async fn closing_requires_the_rights_of_the_change() {
    let shop = TestServer::start();
    let (manager, cashier) = (log_in_at(&shop, "manager", "P01").await, log_in_at(&shop, "cashier", "PDA1").await);
    let card = json!([{ "means": "card", "amount": "20" }]);
    let paid = json!({ "currency": "EUR", "items": [plain_item("20", "1")], "payments": card });
    let ticket = open_ticket(&shop, &manager, paid).await;
    for body in [cash("20"), json!({ "number": 999 }), json!({ "daily_sales_report": 5 })] {
        let refused = close(&shop, &cashier, &ticket, body.clone()).await;
        assert_eq!((refused.status.as_u16(), refused.text_at("/right").as_str()), (403, "ticketUpdateAny"), "{body}");
    }
    // a number of another fiscal memory than the till's own, whose name ignores case
    let memory = |name: &str| DeviceChange {
        settings: SettingsChange::Patch([("DefaultFiscalName".to_owned(), Some(name.to_owned()))].into()),
        ..DeviceChange::default()
    };
    shop.change_device("PDA1", &memory("eKasa"));
    let other = close(&shop, &cashier, &ticket, json!({ "fiscal": "FM2" })).await;
    assert_eq!((other.status.as_u16(), other.text_at("/right").as_str()), (403, "ticketUpdateAny"));
    let paid = json!({ "currency": "EUR", "items": [plain_item("20", "1")], "payments": card });
    let by_own = open_ticket(&shop, &manager, paid.clone()).await;
    let own = close(&shop, &cashier, &by_own, json!({ "fiscal": " EKASA" })).await;
    assert_eq!(own.status, 200, "{}", own.json());
    shop.change_device("PDA1", &memory(""));
    let by_any = open_ticket(&shop, &manager, paid).await;
    let any = close(&shop, &cashier, &by_any, json!({ "fiscal": "FM2" })).await;
    assert_eq!(any.status, 200, "no fiscal memory is configured: {}", any.json());
    let same = close(&shop, &cashier, &ticket, json!({ "payments": card })).await;
    assert_eq!((same.status.as_u16(), same.json()["closed"]["number"].clone()), (200, json!(1)), "as it stands");

    let (manager, cashier) =
        (portos::log_in_at(&shop, "manager", "P01").await, portos::log_in_at(&shop, "cashier", "PDA1").await);
    let card = json!([{ "type": "Card", "amount": 7.28 }]);
    let ticket = portos::open_ticket(&shop, &manager, json!({ "items": [portos::item()], "payments": card })).await;
    let unpaid = portos::open_ticket(&shop, &manager, json!({ "items": [portos::item()] })).await;
    let close = async |ticket: &TestResponse, body: Value| {
        let path = format!("/portos/api/tickets/{}/close", ticket.text_at("/id"));
        shop.send(with_bearer(post_request(&path, body), &cashier).insert_header(("accept-language", "en"))).await
    };
    shop.change_device("PDA1", &memory("eKasa"));
    let other = close(&ticket, json!({ "fiscalName": "FM2" })).await;
    assert_eq!(other.text_at("/detail"), "The right ticketUpdateAny is missing.");
    let spelled = portos::open_ticket(&shop, &manager, json!({ "items": [portos::item()], "payments": card })).await;
    assert_eq!(
        close(&spelled, json!({ "fiscalName": "ekasa" })).await.status,
        200,
        "a till sends its own name each time"
    );
    let cash = json!([{ "type": "Cash", "amount": 7.28 }]);
    for (ticket, body) in [
        (&ticket, json!({ "payments": cash })),
        (&ticket, json!({ "number": 999 })),
        (&unpaid, json!({ "payments": cash })),
    ] {
        let refused = close(ticket, body.clone()).await;
        assert_eq!(refused.text_at("/detail"), "The right ticketUpdateAny is missing.", "{body}");
    }
    assert_eq!(close(&ticket, json!({})).await.status, 200, "as it stands");
    assert_eq!(close(&unpaid, json!({})).await.status, 200, "the published way: what is due was paid in cash");
}
