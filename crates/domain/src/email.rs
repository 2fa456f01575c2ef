//! E-mail addresses: which of them a mail server takes, how they are compared, and how they are written to.
//!
//! [`Email::parse`] takes whatever may be kept already. What is entered anew is asked by [`Email::check_new`]; an address that stays
//! as it is, is never asked again.

use std::borrow::Cow;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_normalization::char::is_combining_mark;

use crate::{Email, Folded, InvalidName};

/// How long the part before the `@` is at most, in bytes (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// What may stand in an atom besides letters and digits (RFC 5322, section 3.2.3).
const ATOM_SYMBOLS: &str = "!#$%&'*+-/=?^_`{|}~";

impl Email {
    /// Whether a mail server takes mail for it, as far as its form tells; see [`check_deliverable`].
    ///
    /// # Errors
    /// It is none that mail can be sent to.
    pub fn check_deliverable(&self) -> Result<(), InvalidName> {
        check_deliverable(self.as_str())
    }

    /// The address as mail servers are told it: with the domain in ASCII (RFC 5891, section 4.4). `None` where it has no such form.
    pub fn for_mail_server(&self) -> Option<String> {
        let (local, domain) = self.parts()?;
        Some(format!("{local}@{}", ascii_domain(domain)?))
    }

    /// The form that addresses are compared by: a domain in Unicode and the same in Punycode are one.
    pub fn key(&self) -> Folded {
        Self::key_of(self.as_str())
    }

    /// The same of a text that was kept as an address, whatever it is by today's rules.
    pub fn key_of(text: &str) -> Folded {
        Folded::of(&in_unicode(text))
    }

    /// An address as people read it: with its domain in Unicode, if it has such a form.
    pub fn in_unicode(text: &str) -> Cow<'_, str> {
        in_unicode(text)
    }

    /// The forms that whoever has an address may be kept under, the one of today first: addresses that were stored before domains
    /// were compared in Unicode have another. One form is enough for nearly every address.
    pub fn keys_of(text: &str) -> Vec<Folded> {
        let text = text.trim();
        let mut keys = vec![Folded::of(&in_unicode(text)), Folded::of(text)];
        if let Some((local, domain)) = text.rsplit_once('@')
            && let Some(domain) = ascii_domain(domain)
        {
            keys.push(Folded::of(&format!("{local}@{domain}")));
        }
        let mut different: Vec<Folded> = Vec::with_capacity(keys.len());
        for key in keys {
            if !different.contains(&key) {
                different.push(key);
            }
        }
        different
    }

    fn parts(&self) -> Option<(&str, &str)> {
        self.as_str().rsplit_once('@')
    }
}

/// Whether a mail server takes mail for an address, as far as its form tells.
///
/// Before the `@` stands a dot-atom (RFC 5322, section 3.2.3), with letters of any script (RFC 6532), or a quoted string without
/// blanks and backslashes; behind it the name of a host (RFC 5321, section 2.3.5; UTS #46 for names that are not ASCII). Addresses in
/// brackets are refused: hardly any mail server takes them.
///
/// # Errors
/// It is none that mail can be sent to.
pub fn check_deliverable(address: &str) -> Result<(), InvalidName> {
    let parts = address.rsplit_once('@');
    let deliverable = parts.is_some_and(|(local, domain)| is_local(local) && ascii_domain(domain).is_some());
    if deliverable { Ok(()) } else { Err(InvalidName::Email) }
}

/// The address with its domain in Unicode, where it has such a form.
fn in_unicode(address: &str) -> Cow<'_, str> {
    let Some((local, domain)) = address.rsplit_once('@') else { return Cow::Borrowed(address) };
    if domain.is_ascii() && !domain.to_ascii_lowercase().contains("xn--") {
        return Cow::Borrowed(address);
    }
    match Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow) {
        (domain, Ok(())) => Cow::Owned(format!("{local}@{domain}")),
        (_, Err(_)) => Cow::Borrowed(address),
    }
}

/// The name of a host in ASCII and lower case; `None` where it is no name of a host.
fn ascii_domain(domain: &str) -> Option<String> {
    let name = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .ok()?;
    // an address of four numbers is no name
    let last = name.rsplit('.').next()?;
    (!last.bytes().all(|byte| byte.is_ascii_digit())).then(|| name.into_owned())
}

/// Whether a text may stand before the `@`.
fn is_local(local: &str) -> bool {
    if local.len() > MAX_LOCAL_BYTES {
        return false;
    }
    match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => {
            !quoted.is_empty() && quoted.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\@".contains(&byte))
        }
        None => local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_of_an_atom)),
    }
}

fn is_of_an_atom(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || ATOM_SYMBOLS.contains(c)
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
    fn what_no_mail_server_takes_is_not_deliverable() {
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
            assert_eq!(email(bad).check_deliverable(), Err(InvalidName::Email), "{bad:?}");
        }
    }

    #[test]
    fn what_mail_servers_take_is_deliverable() {
        for (good, told) in [
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
            assert_eq!(email(good).for_mail_server().as_deref(), Some(told));
        }
    }

    #[test]
    fn domain_and_its_punycode_form_are_one() {
        let forms = ["u@münchen.example", "U@MÜNCHEN.example", "u@xn--mnchen-3ya.example", "u@XN--MNCHEN-3YA.example"];
        for form in forms {
            assert_eq!(email(form).key(), email(forms[0]).key(), "{form}");
            let keys = Email::keys_of(form);
            assert_eq!(keys.first(), Some(&email(form).key()));
            assert!(keys.contains(&Folded::of("u@xn--mnchen-3ya.example")), "as it was stored before: {form}");
        }
        assert_ne!(email("u@münchen.example").key(), email("u@munchen.example").key());
        assert_eq!(Email::keys_of(" Anna@Example.com "), [Folded::of("anna@example.com")]);
        assert_eq!(Email::keys_of("no address"), [Folded::of("no address")]);
    }
}
