//! Suggestions for misspelled words in error texts.

/// The known word most similar to an unknown one, if at most a third of its letters differ.
pub(crate) fn find_nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let distance = |known: &'k str| (strsim::damerau_levenshtein(known, word), known);
    let (distance, nearest) = known.into_iter().map(distance).min()?;
    (distance * 3 <= nearest.len()).then_some(nearest)
}

/// The end of an error text about an unknown word: `; did you mean "GET"?`, or nothing.
pub(crate) fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    find_nearest(word, known).map(|nearest| format!("; did you mean \"{nearest}\"?")).unwrap_or_default()
}

/// The end of an error text about an unknown name of a tenant, user, device, role or store: a
/// similar one, otherwise the command that lists all of them.
pub(crate) fn did_you_mean_or_list<'k>(word: &str, known: impl IntoIterator<Item = &'k str>, kind: &str) -> String {
    let near = did_you_mean(word, known);
    if near.is_empty() { format!("; `tillgate {kind} list` shows the {kind}s") } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typo_is_near() {
        let known = ["GET", "POST", "DELETE"];
        assert_eq!(find_nearest("GTE", known), Some("GET"));
        assert_eq!(find_nearest("POTS", known), Some("POST"));
        assert_eq!(find_nearest("BREW", known), None);
        assert_eq!(find_nearest("", known), None);
        assert_eq!(did_you_mean("DELET", known), "; did you mean \"DELETE\"?");
        assert_eq!(did_you_mean("BREW", known), "");
        assert_eq!(did_you_mean_or_list("nigth", ["night"], "role"), "; did you mean \"night\"?");
        assert_eq!(did_you_mean_or_list("boss", ["night"], "role"), "; `tillgate role list` shows the roles");
    }
}
