//! E-mail addresses: which are deliverable, how they are compared, and their form for mail servers.
//!
//! [`Email::parse`] accepts everything that may be stored already. [`Email::check_new`] checks an
//! address when it is entered; a stored address is not checked again.

use std::borrow::Cow;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_normalization::char::is_combining_mark;

use crate::{Email, FoldedText, InvalidText};

/// The greatest length of the part before the `@`, in bytes (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// The characters of an atom besides letters and digits (RFC 5322, section 3.2.3).
const ATEXT_SYMBOLS: &str = "!#$%&'*+-/=?^_`{|}~";

impl Email {
    /// Checks that mail servers accept the address, by its form.
    ///
    /// The part before the `@` is a dot-atom (RFC 5322, section 3.2.3), with letters of any script
    /// (RFC 6532), or a quoted string without blanks and backslashes. The part after it is a host
    /// name (RFC 5321, section 2.3.5; UTS #46 for names that are not ASCII). Address literals in
    /// brackets are rejected, because hardly any mail server accepts them.
    ///
    /// # Errors
    ///
    /// [`InvalidText::Email`] if it is not deliverable.
    pub fn check_deliverable(&self) -> Result<(), InvalidText> {
        check_deliverable(self.as_str())
    }

    /// The address for mail servers, with the domain in ASCII (RFC 5891, section 4.4). `None` if it
    /// has no such form.
    pub fn to_smtp_address(&self) -> Option<String> {
        let (local, domain) = self.split_at_sign()?;
        Some(format!("{local}@{}", ascii_domain(domain)?))
    }

    /// The form in which addresses are compared: a domain in Unicode and the same domain in
    /// Punycode are equal.
    pub fn lookup_key(&self) -> FoldedText {
        Self::lookup_key_of(self.as_str())
    }

    /// The form of comparison of a stored text, which may not be an address by today's rules.
    pub fn lookup_key_of(text: &str) -> FoldedText {
        FoldedText::of(&to_unicode(text))
    }

    /// An address for people, with its domain in Unicode if it has such a form.
    pub fn to_unicode(text: &str) -> Cow<'_, str> {
        to_unicode(text)
    }

    /// The keys under which the owner of an address may be stored, the current one first: addresses
    /// that were stored before domains were compared in Unicode have another one. Nearly every
    /// address has one key only.
    pub fn lookup_keys_of(text: &str) -> Vec<FoldedText> {
        let text = text.trim();
        let mut keys = vec![FoldedText::of(&to_unicode(text)), FoldedText::of(text)];
        if let Some((local, domain)) = text.rsplit_once('@')
            && let Some(domain) = ascii_domain(domain)
        {
            keys.push(FoldedText::of(&format!("{local}@{domain}")));
        }
        let mut different: Vec<FoldedText> = Vec::with_capacity(keys.len());
        for key in keys {
            if !different.contains(&key) {
                different.push(key);
            }
        }
        different
    }

    fn split_at_sign(&self) -> Option<(&str, &str)> {
        self.as_str().rsplit_once('@')
    }
}

/// As [`Email::check_deliverable`].
pub(super) fn check_deliverable(address: &str) -> Result<(), InvalidText> {
    let parts = address.rsplit_once('@');
    let deliverable = parts.is_some_and(|(local, domain)| is_local_part(local) && ascii_domain(domain).is_some());
    if deliverable { Ok(()) } else { Err(InvalidText::Email) }
}

/// The address with its domain in Unicode, if it has such a form.
fn to_unicode(address: &str) -> Cow<'_, str> {
    let Some((local, domain)) = address.rsplit_once('@') else { return Cow::Borrowed(address) };
    if domain.is_ascii() && !domain.to_ascii_lowercase().contains("xn--") {
        return Cow::Borrowed(address);
    }
    match Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow) {
        (domain, Ok(())) => Cow::Owned(format!("{local}@{domain}")),
        (_, Err(_)) => Cow::Borrowed(address),
    }
}

/// The host name in ASCII and lower case; `None` if it is not a host name.
fn ascii_domain(domain: &str) -> Option<String> {
    let name = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .ok()?;
    // An IPv4 address is not a host name.
    let last = name.rsplit('.').next()?;
    (!last.bytes().all(|byte| byte.is_ascii_digit())).then(|| name.into_owned())
}

/// Whether a text is allowed before the `@`.
fn is_local_part(local: &str) -> bool {
    if local.len() > MAX_LOCAL_BYTES {
        return false;
    }
    match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => {
            !quoted.is_empty() && quoted.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\@".contains(&byte))
        }
        None => local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext)),
    }
}

fn is_atext(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || ATEXT_SYMBOLS.contains(c)
    } else {
        c.is_alphanumeric() || is_combining_mark(c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    #[test]
    fn malformed_address_is_not_deliverable() {
        for bad in [
            "a,b@example.com",
            "a..b@example.com",
            ".a@example.com",
            "a.@example.com",
            "a(b@example.com",
            "a<b>@example.com",
            "a:b;c@example.com",
            "a[b]@example.com",
            "a\\b@example.com",
            "\"a\"b@example.com",
            "\"\"@example.com",
            "u\u{200b}@example.com",
            "u\u{202e}@example.com",
            "u@example.com.",
            "u@example..com",
            "u@.example.com",
            "u@-example.com",
            "u@example-.com",
            "u@exam_ple.com",
            "u@exam\u{200b}ple\u{202e}.com",
            "u@xn--.com",
            "u@[127.0.0.1]",
            "u@127.0.0.1",
            &format!("{}@example.com", "a".repeat(65)),
            &format!("u@{}.com", "a".repeat(64)),
        ] {
            assert_eq!(email(bad).check_deliverable(), Err(InvalidText::Email), "{bad:?}");
        }
    }

    #[test]
    fn valid_address_is_deliverable() {
        for (good, reported) in [
            ("anna@example.com", "anna@example.com"),
            ("Anna.B+shop@EXAMPLE.com", "Anna.B+shop@example.com"),
            ("!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"),
            ("\"a,b..c\"@example.com", "\"a,b..c\"@example.com"),
            ("root@localhost", "root@localhost"),
            ("u@1and1.example", "u@1and1.example"),
            ("u@r3---sn.example", "u@r3---sn.example"),
            ("u@münchen.example", "u@xn--mnchen-3ya.example"),
            ("u@xn--mnchen-3ya.example", "u@xn--mnchen-3ya.example"),
            ("žofia@example.com", "žofia@example.com"),
            ("क्षमा@example.com", "क्षमा@example.com"),
            (&format!("{}@example.com", "a".repeat(64)), &format!("{}@example.com", "a".repeat(64))),
        ] {
            assert_eq!(email(good).check_deliverable(), Ok(()), "{good}");
            assert_eq!(email(good).to_smtp_address().as_deref(), Some(reported));
        }
    }

    #[test]
    fn domain_and_its_punycode_form_have_one_lookup_key() {
        let forms = ["u@münchen.example", "U@MÜNCHEN.example", "u@xn--mnchen-3ya.example", "u@XN--MNCHEN-3YA.example"];
        for form in forms {
            assert_eq!(email(form).lookup_key(), email(forms[0]).lookup_key(), "{form}");
            let keys = Email::lookup_keys_of(form);
            assert_eq!(keys.first(), Some(&email(form).lookup_key()));
            assert!(keys.contains(&FoldedText::of("u@xn--mnchen-3ya.example")), "as it was stored before: {form}");
        }
        assert_ne!(email("u@münchen.example").lookup_key(), email("u@munchen.example").lookup_key());
        assert_eq!(Email::lookup_keys_of(" Anna@Example.com "), [FoldedText::of("anna@example.com")]);
        assert_eq!(Email::lookup_keys_of("no address"), [FoldedText::of("no address")]);
    }
}
