use super::*;
use crate::ticket::fixtures::{blank, cash, item, line, user};
use crate::ticket::{Customer, Draft, ItemDraft, Label};

fn label(text: &str) -> Label {
    Label::parse(text).unwrap()
}

#[test]
fn audit_details_list_every_difference_exactly() {
    let before = Draft { items: vec![item(1, "5.363636", "1.234"), item(2, "1", "1"), item(3, "1", "1")], ..blank() };
    let fewer =
        Item::new(ItemDraft { comment: crate::ticket::Note::parse("hot").unwrap(), ..line(1, "5.363636", "1") });
    let customer = Customer { id: label("c1"), full_name: label("Jana"), ..Customer::default() };
    let after = Draft {
        owner: user(2),
        name: label("Table 5"),
        customer: Some(customer),
        discount: "12.5".parse().unwrap(),
        items: vec![item(4, "2", "1"), fewer.unwrap(), item(5, "3", "1")],
        payments: vec![cash("5")],
        ..before.clone()
    };
    let edits = Edit::diff(&before.check().unwrap(), &after.check().unwrap());
    let reported = Value::Object(audit_details(&edits));
    assert_eq!(reported["owner"]["to"], json!(user(2).to_string()));
    assert_eq!(reported["name"], json!({"from": "", "to": "Table 5"}));
    assert_eq!(reported["customer"], json!({"from": "", "to": "c1"}));
    assert_eq!(reported["discount"], json!({"from": "0.000000", "to": "12.500000"}));
    assert_eq!(reported["payments"]["from"], json!([]));
    assert_eq!(reported["payments"]["to"], json!([{"means": "cash", "name": "", "amount": "5.00"}]));
    let ids = |list: &Value| list.as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&reported["removed"]), [2, 3]);
    assert_eq!(ids(&reported["added"]), [4, 5]);
    assert_eq!(reported["changed"].as_array().unwrap().len(), 1);
    let (from, to) = (&reported["changed"][0]["from"], &reported["changed"][0]["to"]);
    assert_eq!((&from["quantity"], &to["quantity"]), (&json!("1.234000"), &json!("1.000000")));
    assert_eq!((&from["unit_price"], &to["comment"]), (&json!("5.363636"), &json!("hot")));
    let fields = ["owner", "name", "customer", "discount", "removed", "changed", "added", "payments"];
    assert_eq!(reported.as_object().unwrap().len(), fields.len());
    assert!(!reported.to_string().contains("Jana"), "of a customer the id alone");
}

#[test]
fn diff_of_equal_sheets_is_empty() {
    let sheet = Draft { items: vec![item(1, "1", "1")], ..blank() }.check().unwrap();
    assert_eq!(Edit::diff(&sheet, &sheet), []);
    assert!(audit_details(&[]).is_empty());
}
