//! The word that somebody most likely meant.

/// The known word that is nearest to one that is not known, if it is near enough to ask "is it ...?".
pub(crate) fn find_nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let distance = |known: &'k str| (strsim::damerau_levenshtein(known, word), known);
    let (distance, nearest) = known.into_iter().map(distance).min()?;
    (distance * 3 <= nearest.len()).then_some(nearest)
}

/// The end of a message about a word that is not known: `; is it "GET"?`, or nothing.
pub(crate) fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    find_nearest(word, known).map(|near| format!("; is it \"{near}\"?")).unwrap_or_default()
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
        assert_eq!(did_you_mean("DELET", known), "; is it \"DELETE\"?");
        assert_eq!(did_you_mean("BREW", known), "");
    }
}
