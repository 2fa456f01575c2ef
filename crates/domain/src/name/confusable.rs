//! Names that look alike and are not.

use unicode_security::skeleton as skeleton_of;

use super::FoldedText;

/// What a name looks like (UTS 39, 4): two names of one skeleton may be taken for each other, as `admin` with a Cyrillic `а`. Among
/// names in the letters of ASCII alone it finds more than anybody takes for the other (`m` looks like `rn`).
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
