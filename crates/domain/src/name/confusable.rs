//! Detects names that look alike but differ.

use unicode_security::skeleton as skeleton_of;

use super::FoldedText;

/// The skeleton of a name (UTS #39, section 4): two names with one skeleton look alike, such as
/// `admin` with a Cyrillic `а`. For names in ASCII letters alone it finds more pairs than people
/// confuse (`m` looks like `rn`).
pub fn skeleton(name: &str) -> String {
    skeleton_of(FoldedText::of(name).as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confusable_letters_share_skeleton() {
        assert_eq!(skeleton("\u{430}dmin"), skeleton("admin"));
        assert_ne!(skeleton("Ján"), skeleton("Jan"));
        assert_ne!(skeleton("anna"), skeleton("hana"));
    }
}
