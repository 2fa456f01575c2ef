//! What the back office reads: people by what is known of them, and the audit; and who registers whom.

use tillgate_auth_core::Memory;
use tillgate_domain::office::{
    self, Authority, EventFilter, Field, Part, Ranked, Refused, Stamp, UserOrder, UserSearch,
};
use tillgate_domain::{Action, Rank, Right, SubjectKind, Tenant, User, UserStatus};

use crate::asked::*;

fn tenant(memory: &Memory, slug: &str) -> Tenant {
    office::add_tenant(memory, &stamp(), &new_tenant(slug)).unwrap().unwrap()
}

fn add(memory: &Memory, tenant: &Tenant, name: &str, roles: &[&str]) -> User {
    office::add_user(memory, tenant.id, &stamp(), &new_user(name, roles)).unwrap().unwrap()
}

fn everybody() -> UserSearch {
    UserSearch { text: None, statuses: None, rank: None, order: UserOrder::Name, skip: 0, limit: 200 }
}

fn names(memory: &Memory, tenant: &Tenant, search: &UserSearch) -> (Vec<String>, u64) {
    let found = office::search_users(memory, tenant.id, search).unwrap();
    (found.items.iter().map(|found| found.user.name.to_string()).collect(), found.total)
}

#[test]
fn people_are_found_by_their_highest_rank() {
    let memory = Memory::new();
    let shop = tenant(&memory, "default");
    let other = tenant(&memory, "other");
    add(&memory, &shop, "ada", &["admin", "cashier"]);
    add(&memory, &shop, "max", &["manager", "cashier"]);
    add(&memory, &shop, "cora", &["cashier"]);
    let far = add(&memory, &shop, "far", &[]);
    let foreign = add(&memory, &other, "ada", &["admin"]);
    let by = |rank| names(&memory, &shop, &UserSearch { rank: Some(rank), ..everybody() });
    assert_eq!(by(Rank::Admin), (vec!["ada".into()], 1));
    assert_eq!(by(Rank::Manager), (vec!["max".into()], 1));
    assert_eq!(by(Rank::Cashier), (vec!["cora".into()], 1));
    assert_eq!(names(&memory, &shop, &everybody()).1, 4);
    let ranks: Vec<Option<Rank>> =
        office::search_users(&memory, shop.id, &everybody()).unwrap().items.iter().map(|found| found.rank).collect();
    assert_eq!(ranks, [Some(Rank::Admin), Some(Rank::Cashier), None, Some(Rank::Manager)], "ada cora far max");
    let found = office::find_ranked(&memory, shop.id, far.id).unwrap();
    assert_eq!(found, Some(Ranked { user: far, rank: None }));
    assert_eq!(office::find_ranked(&memory, shop.id, foreign.id).unwrap(), None, "a tenant is a wall");
}

#[test]
fn a_page_is_bounded_and_a_text_narrows_nothing_or_finds_nobody() {
    let memory = Memory::new();
    let shop = tenant(&memory, "default");
    for name in ["ada", "max"] {
        add(&memory, &shop, name, &["admin"]);
    }
    let text = |text: &str| names(&memory, &shop, &UserSearch { text: Some(text.into()), ..everybody() });
    assert_eq!(text("  "), (vec!["ada".into(), "max".into()], 2), "a blank text");
    assert_eq!(text(" AD "), (vec!["ada".into()], 1));
    assert_eq!(text("a\0"), (vec![], 0), "what no text holds");
    assert_eq!(names(&memory, &shop, &UserSearch { statuses: Some(vec![]), ..everybody() }), (vec![], 0));
    let skipped = UserSearch { skip: 1, limit: 0, ..everybody() };
    assert_eq!(names(&memory, &shop, &skipped), (vec!["max".into()], 2), "one at least");
}

#[test]
fn nobody_registers_their_equal() {
    let memory = Memory::new();
    let shop = tenant(&memory, "default");
    let register = |own, rank, name: &str| {
        office::register_user(&memory, shop.id, &stamp(), own, rank, &new_user(name, &["admin"])).unwrap()
    };
    for own in [None, Some(Rank::Cashier), Some(Rank::Manager), Some(Rank::Admin)] {
        for rank in Rank::ALL {
            let name = format!("{own:?} {rank:?}");
            let registered = register(own, rank, &name);
            if own.is_some_and(|own| rank < own) {
                let user = registered.unwrap();
                let ranked = office::find_ranked(&memory, shop.id, user.id).unwrap().unwrap();
                assert_eq!(ranked.rank, Some(rank), "{name}: the rank, and not what else was asked for");
            } else {
                assert_eq!(registered, Err(Refused::TooHigh(rank)), "{name}");
            }
        }
    }
    let again = register(Some(Rank::Admin), Rank::Cashier, "Some(Admin) Cashier");
    assert!(matches!(again, Err(Refused::Taken { field: Field::UserName, .. })), "{again:?}");
    let limited = Stamp { authority: Authority::Rights(Rank::Manager.rights()), ..stamp() };
    let refused =
        office::register_user(&memory, shop.id, &limited, Some(Rank::Manager), Rank::Cashier, &new_user("x", &[]));
    assert_eq!(refused.unwrap(), Err(Refused::Missing(Right::parse("userCreate").unwrap())), "a rank is no right");
}

#[test]
fn the_audit_tells_how_somebody_came_and_went() {
    let memory = Memory::new();
    let (shop, other) = (tenant(&memory, "default"), tenant(&memory, "other"));
    add(&memory, &other, "stranger", &["admin"]);
    add(&memory, &shop, "ada", &["admin"]);
    let new = new_user("ben", &[]);
    let ben =
        office::register_user(&memory, shop.id, &stamp(), Some(Rank::Admin), Rank::Cashier, &new).unwrap().unwrap();
    for status in [UserStatus::Suspended, UserStatus::Deleted] {
        office::set_user_status(&memory, shop.id, &stamp(), ben.id, status).unwrap().unwrap();
    }
    let of = EventFilter { tenant: Some(shop.id), kind: Some(SubjectKind::User), ..EventFilter::default() };
    let actions = |filter: &EventFilter| -> Vec<Action> {
        let told = office::read_audit(&memory, filter, &Part::first(99)).unwrap();
        told.iter().map(|told| told.event.action).collect()
    };
    assert_eq!(actions(&of), [Action::UserDelete, Action::UserStatus, Action::UserRegister, Action::UserAdd]);
    let found = office::search_audit(&memory, &of, &Part { skip: 1, ..Part::first(2) }).unwrap();
    assert_eq!((found.items.len(), found.total), (2, 4));
    let sought = |text: &str| actions(&EventFilter { text: Some(text.into()), ..of.clone() });
    assert_eq!(sought("BEN"), [Action::UserRegister]);
    assert_eq!(sought("b\0n"), []);
    assert_eq!(sought("").len(), 4);
}
