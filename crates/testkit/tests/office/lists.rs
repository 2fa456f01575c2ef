//! Lists of the back office: users by several criteria, audit events, and who may add whom.

use tillgate_domain::office::{
    self, AuditContext, EventFilter, FieldName, Office, OfficeError, OffsetPageRequest, RankedUserView,
    UnguardedOffice, UserOrder, UserSearch,
};
use tillgate_domain::{Action, Authority, MissingRight, Rank, Right, SubjectKind, Tenant, User, UserStatus};
use tillgate_test_store::TestStore;

use crate::inputs::*;

fn insert_tenant(store: &TestStore, slug: &str) -> Tenant {
    office::add_tenant(store, &audit_context(), &new_tenant(slug)).unwrap().unwrap()
}

fn add_user(store: &TestStore, tenant: &Tenant, name: &str, roles: &[&str]) -> User {
    Office::new(store, tenant.id, audit_context()).add_user(&new_user(name, roles)).unwrap().unwrap()
}

fn search_all() -> UserSearch {
    UserSearch { text: None, statuses: None, rank: None, order: UserOrder::Name, skip: 0, limit: 200 }
}

fn find_names(store: &TestStore, tenant: &Tenant, search: &UserSearch) -> (Vec<String>, u64) {
    let found = UnguardedOffice::new(store, tenant.id).search_users(search).unwrap();
    (found.items.iter().map(|found| found.user.name.to_string()).collect(), found.total)
}

#[test]
fn users_are_found_by_their_highest_rank() {
    let store = TestStore::new();
    let shop = insert_tenant(&store, "default");
    let other = insert_tenant(&store, "other");
    add_user(&store, &shop, "ada", &["admin", "cashier"]);
    add_user(&store, &shop, "max", &["manager", "cashier"]);
    add_user(&store, &shop, "cora", &["cashier"]);
    let far = add_user(&store, &shop, "far", &[]);
    let foreign = add_user(&store, &other, "ada", &["admin"]);
    let by = |rank| find_names(&store, &shop, &UserSearch { rank: Some(rank), ..search_all() });
    assert_eq!(by(Rank::Admin), (vec!["ada".into()], 1));
    assert_eq!(by(Rank::Manager), (vec!["max".into()], 1));
    assert_eq!(by(Rank::Cashier), (vec!["cora".into()], 1));
    assert_eq!(find_names(&store, &shop, &search_all()).1, 4);
    let ranks: Vec<Option<Rank>> = UnguardedOffice::new(&store, shop.id)
        .search_users(&search_all())
        .unwrap()
        .items
        .iter()
        .map(|found| found.rank)
        .collect();
    assert_eq!(ranks, [Some(Rank::Admin), Some(Rank::Cashier), None, Some(Rank::Manager)], "ada cora far max");
    let found = UnguardedOffice::new(&store, shop.id).find_ranked_user(far.id).unwrap();
    assert_eq!(found, Some(RankedUserView { user: far, rank: None }));
    assert_eq!(UnguardedOffice::new(&store, shop.id).find_ranked_user(foreign.id).unwrap(), None, "a tenant is a wall");
}

#[test]
fn page_is_bounded_and_text_filters_or_finds_none() {
    let store = TestStore::new();
    let shop = insert_tenant(&store, "default");
    for name in ["ada", "max"] {
        add_user(&store, &shop, name, &["admin"]);
    }
    let text = |text: &str| find_names(&store, &shop, &UserSearch { text: Some(text.into()), ..search_all() });
    assert_eq!(text("  "), (vec!["ada".into(), "max".into()], 2), "a blank text");
    assert_eq!(text(" AD "), (vec!["ada".into()], 1));
    assert_eq!(text("a\0"), (vec![], 0), "what no text holds");
    assert_eq!(find_names(&store, &shop, &UserSearch { statuses: Some(vec![]), ..search_all() }), (vec![], 0));
    let skipped = UserSearch { skip: 1, limit: 0, ..search_all() };
    assert_eq!(find_names(&store, &shop, &skipped), (vec!["max".into()], 2), "one at least");
}

#[test]
fn caller_cannot_create_an_equal() {
    let store = TestStore::new();
    let shop = insert_tenant(&store, "default");
    let register = |own, rank, name: &str| {
        Office::new(&store, shop.id, audit_context()).register_user(own, rank, &new_user(name, &["admin"])).unwrap()
    };
    for own in [None, Some(Rank::Cashier), Some(Rank::Manager), Some(Rank::Admin)] {
        for rank in Rank::ALL {
            let name = format!("{own:?} {rank:?}");
            let registered = register(own, rank, &name);
            if own.is_some_and(|own| rank < own) {
                let user = registered.unwrap();
                let ranked = UnguardedOffice::new(&store, shop.id).find_ranked_user(user.id).unwrap().unwrap();
                assert_eq!(ranked.rank, Some(rank), "{name}: the rank, and not what else was asked for");
            } else {
                assert_eq!(registered, Err(OfficeError::RankTooHigh(rank)), "{name}");
            }
        }
    }
    let again = register(Some(Rank::Admin), Rank::Cashier, "Some(Admin) Cashier");
    assert!(matches!(again, Err(OfficeError::AlreadyExists { field: FieldName::UserName, .. })), "{again:?}");
    let limited = AuditContext { authority: Authority::Rights(Rank::Manager.rights()), ..audit_context() };
    let refused = Office::new(&store, shop.id, limited.clone()).register_user(
        Some(Rank::Manager),
        Rank::Cashier,
        &new_user("x", &[]),
    );
    assert_eq!(
        refused.unwrap(),
        Err(OfficeError::RightMissing(MissingRight(Right::parse("userCreate").unwrap()))),
        "a rank is no right"
    );
}

#[test]
fn audit_records_login_and_logout() {
    let store = TestStore::new();
    let (shop, other) = (insert_tenant(&store, "default"), insert_tenant(&store, "other"));
    add_user(&store, &other, "stranger", &["admin"]);
    add_user(&store, &shop, "ada", &["admin"]);
    let new = new_user("ben", &[]);
    let ben = Office::new(&store, shop.id, audit_context())
        .register_user(Some(Rank::Admin), Rank::Cashier, &new)
        .unwrap()
        .unwrap();
    for status in [UserStatus::Suspended, UserStatus::Deleted] {
        Office::new(&store, shop.id, audit_context()).set_user_status(ben.id, status).unwrap().unwrap();
    }
    let of = EventFilter { tenant: Some(shop.id), subject_kind: Some(SubjectKind::User), ..EventFilter::default() };
    let actions = |filter: &EventFilter| -> Vec<Action> {
        let listed = office::unguarded::read_audit(&store, filter, &OffsetPageRequest::first(99)).unwrap();
        listed.iter().map(|listed| listed.event.action).collect()
    };
    assert_eq!(actions(&of), [Action::UserDelete, Action::UserStatus, Action::UserRegister, Action::UserAdd]);
    let found =
        office::unguarded::search_audit(&store, &of, &OffsetPageRequest { skip: 1, ..OffsetPageRequest::first(2) })
            .unwrap();
    assert_eq!((found.items.len(), found.total), (2, 4));
    let search = |text: &str| actions(&EventFilter { text: Some(text.into()), ..of.clone() });
    assert_eq!(search("BEN"), [Action::UserRegister]);
    assert_eq!(search("b\0n"), []);
    assert_eq!(search("").len(), 4);
}
