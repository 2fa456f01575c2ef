//! Whether names are unique and not easily confused.

use tillgate_persistence::{Database, SimilarNames, SimilarNamesReport};

use crate::command::doctor::finding::Finding;
use crate::command::print::escape_line;

/// The maximum number of groups of similar names in the finding.
const MAX_NAMED_GROUPS: usize = 20;

pub(super) fn check_similar_names(database: &Database) -> Finding {
    match database.similar_names() {
        Err(error) => Finding::problem("names", error.to_string(), "see the check \"database\""),
        Ok(similar) => similar_names_finding(&similar),
    }
}

fn similar_names_finding(similar: &SimilarNamesReport) -> Finding {
    const CHECK: &str = "names";
    let lookalike = match similar.lookalike.as_slice() {
        [] => String::new(),
        groups => format!("; look alike and may be meant to deceive: {}", groups_text(groups)),
    };
    match similar.equal.as_slice() {
        [] => Finding::ok(CHECK, format!("all names are unique{lookalike}")),
        groups => Finding::problem(
            CHECK,
            format!("equal under full case folding: {}{lookalike}", groups_text(groups)),
            "each name still works in its exact spelling only; rename one of them",
        ),
    }
}

fn groups_text(groups: &[SimilarNames]) -> String {
    let one = |SimilarNames { kind, tenant, names }: &SimilarNames| {
        let names: Vec<String> = names.iter().map(|name| format!("\"{}\"", escape_line(name))).collect();
        format!("{kind} {} ({tenant})", names.join(" and "))
    };
    let mut texts: Vec<String> = groups.iter().take(MAX_NAMED_GROUPS).map(one).collect();
    if let Some(more @ 1..) = groups.len().checked_sub(MAX_NAMED_GROUPS) {
        texts.push(format!("{more} more"));
    }
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(names: &[&str]) -> SimilarNames {
        SimilarNames {
            kind: "user",
            tenant: "shop".to_owned(),
            names: names.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn equal_names_need_a_remedy_and_lookalikes_are_reported() {
        assert!(similar_names_finding(&SimilarNamesReport::default()).is_ok());
        let lookalike =
            SimilarNamesReport { lookalike: vec![group(&["admin", "\u{430}dmin"])], ..SimilarNamesReport::default() };
        let found = similar_names_finding(&lookalike);
        assert!(found.is_ok() && found.to_line().contains("look alike"), "{}", found.to_line());
        let equal = SimilarNamesReport { equal: vec![group(&["strauss", "strau\u{df}"]); 21], ..lookalike };
        let found = similar_names_finding(&equal);
        assert!(
            !found.is_ok() && found.to_line().contains("user \"strauss\" and \"strauß\" (shop)"),
            "{}",
            found.to_line()
        );
        assert!(found.to_line().contains("1 more"), "{}", found.to_line());
    }
}
