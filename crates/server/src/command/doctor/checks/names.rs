//! Whether every name is one's alone.

use tillgate_persistence::{Database, Similar, SimilarNames};

use crate::command::doctor::finding::Finding;
use crate::command::print::one_line;

/// How many groups of names are told at most.
const TOLD: usize = 20;

pub(super) fn alike(database: &Database) -> Finding {
    match database.similar_names() {
        Err(error) => Finding::bad("names", error.to_string(), "see database"),
        Ok(similar) => judge(&similar),
    }
}

fn judge(similar: &Similar) -> Finding {
    const CHECK: &str = "names";
    let lookalike = match similar.lookalike.as_slice() {
        [] => String::new(),
        groups => format!("; look alike, and may be meant to deceive: {}", listed(groups)),
    };
    match similar.equal.as_slice() {
        [] => Finding::good(CHECK, format!("each is one's alone{lookalike}")),
        groups => Finding::bad(
            CHECK,
            format!("compare as one since case is folded in full: {}{lookalike}", listed(groups)),
            "each still works as it is spelled, and no other spelling finds it; give one of them another name",
        ),
    }
}

fn listed(groups: &[SimilarNames]) -> String {
    let one = |SimilarNames { kind, tenant, names }: &SimilarNames| {
        let names: Vec<String> = names.iter().map(|name| format!("\"{}\"", one_line(name))).collect();
        format!("{kind} {} ({tenant})", names.join(" and "))
    };
    let mut told: Vec<String> = groups.iter().take(TOLD).map(one).collect();
    if let Some(more @ 1..) = groups.len().checked_sub(TOLD) {
        told.push(format!("{more} more"));
    }
    told.join(", ")
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
    fn names_that_compare_as_one_are_to_mend_and_lookalikes_are_told() {
        assert!(judge(&Similar::default()).well());
        let lookalike = Similar { lookalike: vec![group(&["admin", "\u{430}dmin"])], ..Similar::default() };
        let found = judge(&lookalike);
        assert!(found.well() && found.line().contains("look alike"), "{}", found.line());
        let equal = Similar { equal: vec![group(&["strauss", "strau\u{df}"]); 21], ..lookalike };
        let found = judge(&equal);
        assert!(!found.well() && found.line().contains("user \"strauss\" and \"strauß\" (shop)"), "{}", found.line());
        assert!(found.line().contains("1 more"), "{}", found.line());
    }
}
