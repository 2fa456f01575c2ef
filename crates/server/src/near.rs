//! The word that somebody most likely meant.

/// The known word that is nearest to one that is not known, if it is near enough to ask "is it ...?".
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let distance = |known: &'k str| (strsim::damerau_levenshtein(known, word), known);
    let (distance, nearest) = known.into_iter().map(distance).min()?;
    (distance * 3 <= nearest.len()).then_some(nearest)
}

/// The end of a message about a word that is not known: `; is it "GET"?`, or nothing.
pub(crate) fn is_it<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    nearest(word, known).map(|near| format!("; is it \"{near}\"?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_near() {
        let known = ["GET", "POST", "DELETE"];
        assert_eq!(nearest("GTE", known), Some("GET"));
        assert_eq!(nearest("POTS", known), Some("POST"));
        assert_eq!(nearest("BREW", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(is_it("DELET", known), "; is it \"DELETE\"?");
        assert_eq!(is_it("BREW", known), "");
    }
}
