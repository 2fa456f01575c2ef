//! Finds names that compare as equal or look alike, so that an operator can rename one of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{Binary, Text};
use diesel::{QueryableByName, RunQueryDsl};
use tillgate_domain::{Email, FoldedText, StoreResult, UnitOfWork, skeleton};

use crate::database::Database;
use crate::error_class::classify;
use crate::statement::{Bind, Statement};
use crate::transaction::Transaction;

/// Names of one kind that are equal or look alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SimilarNames {
    /// What has these names: `user`, `e-mail address`, `device` or `role`.
    pub kind: &'static str,
    /// The slug of the tenant. For e-mail addresses, which are unique across tenants, that of the
    /// first one.
    pub tenant: String,
    /// The names as they are spelled.
    pub names: Vec<String>,
}

/// The result of [`Database::similar_names`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimilarNamesReport {
    /// Names that compare as equal since names are folded. Each is still found as before, but no
    /// new name may equal them.
    pub equal: Vec<SimilarNames>,
    /// Names that differ but look alike on a screen (UTS 39).
    pub lookalike: Vec<SimilarNames>,
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Binary)]
    id: Vec<u8>,
    #[diesel(sql_type = Text)]
    tenant: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    key: String,
}

const READ_BATCH_SIZE: usize = 1_000;

/// The form of a name from which its key is folded.
type NameForm = fn(&str) -> Cow<'_, str>;

/// For each kind: its label, its table, the columns of the name and its key, a further condition,
/// whether a name is unique within the tenant, and the form that is compared.
const NAME_KINDS: [(&str, &str, &str, &str, &str, bool, NameForm); 4] = [
    ("user", "users", "name", "folded", "", true, keep_as_is),
    // a domain and its Punycode form are equal
    ("e-mail address", "users", "email", "email_folded", "", false, Email::to_unicode),
    ("device", "devices", "name", "folded", " AND devices.status <> 'retired'", true, keep_as_is),
    ("role", "roles", "name", "folded", "", true, keep_as_is),
];

fn keep_as_is(name: &str) -> Cow<'_, str> {
    Cow::Borrowed(name)
}

impl Database {
    /// Finds all names that are equal or look alike. It reads every name, in batches of 1,000.
    pub fn similar_names(&self) -> StoreResult<SimilarNamesReport> {
        let mut all = SimilarNamesReport::default();
        for (kind, table, name, key, which, of_tenant, form) in NAME_KINDS {
            let read = format!(
                "SELECT {table}.id AS id, tenants.slug AS tenant, {table}.{name} AS name, {table}.{key} AS key FROM {table} \
                 JOIN tenants ON tenants.id = {table}.tenant_id \
                 WHERE {table}.id > $1 AND {table}.{name} IS NOT NULL AND {table}.{key} IS NOT NULL{which} \
                 ORDER BY {table}.id LIMIT {READ_BATCH_SIZE}"
            );
            let scope = |row: &NameRow| if of_tenant { row.tenant.clone() } else { String::new() };
            // few rows have kept an earlier key; a second pass finds the rows that own the newer
            // key
            let mut kept = BTreeSet::new();
            let mut foreign = BTreeSet::new();
            self.for_each_row(&read, &mut |row| {
                let name = form(&row.name);
                let newer = FoldedText::of(&name);
                if newer.as_str() != row.key {
                    kept.insert((scope(row), newer.as_str().to_owned()));
                }
                if !newer.as_str().is_ascii() {
                    foreign.insert((scope(row), skeleton(&name)));
                }
            })?;
            let mut equal = BTreeMap::<_, Vec<(String, String)>>::new();
            let mut alike = BTreeMap::<_, Vec<(String, String, String)>>::new();
            self.for_each_row(&read, &mut |row| {
                let name = form(&row.name);
                let newer = FoldedText::of(&name).as_str().to_owned();
                let by_key = (scope(row), newer.clone());
                if kept.contains(&by_key) {
                    equal.entry(by_key).or_default().push((row.tenant.clone(), row.name.clone()));
                }
                let by_look = (scope(row), skeleton(&name));
                if foreign.contains(&by_look) {
                    alike.entry(by_look).or_default().push((row.tenant.clone(), row.name.clone(), newer));
                }
            })?;
            all.equal.extend(equal.into_values().filter(|names| names.len() > 1).map(|names| SimilarNames {
                kind,
                tenant: names.first().map(|(tenant, _)| tenant.clone()).unwrap_or_default(),
                names: names.into_iter().map(|(_, name)| name).collect(),
            }));
            let differ = |names: &Vec<(String, String, String)>| {
                names.iter().map(|(_, _, key)| key).collect::<BTreeSet<_>>().len() > 1
            };
            all.lookalike.extend(alike.into_values().filter(differ).map(|names| SimilarNames {
                kind,
                tenant: names.first().map(|(tenant, _, _)| tenant.clone()).unwrap_or_default(),
                names: names.into_iter().map(|(_, name, _)| name).collect(),
            }));
        }
        Ok(all)
    }

    /// Calls `show` with each row of a list, in the order of ids.
    fn for_each_row(&self, read: &str, show: &mut dyn FnMut(&NameRow)) -> StoreResult<()> {
        let mut after = Vec::new();
        loop {
            let mut rows: Vec<NameRow> = Vec::new();
            let from = std::mem::take(&mut after);
            self.run_unit(UnitOfWork::read("similar_names"), &mut |transaction: &mut Transaction<'_>| {
                let statement = Statement::uncached(read.to_owned(), vec![Bind::Bytes(&from)]);
                rows = statement.load(transaction.connection).map_err(classify)?;
                Ok(())
            })?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.id);
            rows.iter().for_each(&mut *show);
        }
    }
}
