//! The message catalogs: every language has every text, with the same placeholders and the plural
//! forms of the language.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tillgate_domain::ticket::{PaymentMethod, TicketStatus};
use tillgate_domain::{
    Action, DeviceKeyState, DeviceStatus, EndReason, Environment, EventOutcome, KeyStorage, KnownRight,
    PendingKeyStatus, SubjectKind, UserStatus,
};
use tillgate_web::{PageLanguage, assets, find_asset};

type Catalog = BTreeMap<String, String>;

/// The texts of pages, and those of errors and of what no page shows at first.
const FOLDERS: [&str; 2] = ["locales", "locales/errors"];

fn catalog(language: PageLanguage) -> Catalog {
    let mut all = Catalog::new();
    for folder in FOLDERS {
        let asset = find_asset(&format!("{folder}/{}.json", language.tag())).unwrap();
        for (key, text) in serde_json::from_slice::<Catalog>(&asset.bytes).unwrap() {
            assert_eq!(all.insert(key.clone(), text), None, "{folder}: {key}");
        }
    }
    all
}

/// The forms that `Intl.PluralRules` selects for whole numbers and fractions.
fn plural_forms(language: PageLanguage) -> &'static [&'static str] {
    match language {
        PageLanguage::English => &["one", "other"],
        PageLanguage::Slovak => &["one", "few", "many", "other"],
        PageLanguage::Indonesian => &["other"],
    }
}

/// Splits a catalog into plain texts, and plural texts by form.
fn split(catalog: Catalog) -> (Catalog, BTreeMap<String, Catalog>) {
    let stems: BTreeSet<String> = catalog
        .iter()
        .filter(|(_, text)| text.contains("{count}"))
        .filter_map(|(key, _)| key.strip_suffix(".other").map(ToOwned::to_owned))
        .collect();
    let mut plain = Catalog::new();
    let mut plurals: BTreeMap<String, Catalog> = BTreeMap::new();
    for (key, text) in catalog {
        match key.rsplit_once('.') {
            Some((stem, form)) if stems.contains(stem) => {
                plurals.entry(stem.to_owned()).or_default().insert(form.to_owned(), text);
            }
            _ => {
                plain.insert(key, text);
            }
        }
    }
    (plain, plurals)
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect()
}

#[test]
fn languages_have_same_keys_and_placeholders() {
    let (english, _) = split(catalog(PageLanguage::English));
    for language in [PageLanguage::Slovak, PageLanguage::Indonesian] {
        let (other, _) = split(catalog(language));
        let keys = |catalog: &Catalog| catalog.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(&english), keys(&other), "{language:?}");
        for (key, text) in &english {
            assert!(!other[key].trim().is_empty(), "{language:?}: {key}");
            assert_eq!(placeholders(text), placeholders(&other[key]), "{language:?}: {key}");
        }
    }
}

#[test]
fn plural_texts_have_all_forms_of_their_language() {
    let (_, english) = split(catalog(PageLanguage::English));
    assert!(english.len() > 20);
    for language in PageLanguage::ALL {
        let (_, plurals) = split(catalog(language));
        assert!(english.keys().eq(plurals.keys()), "{language:?}");
        for (stem, forms) in plurals {
            let expected: BTreeSet<&str> = plural_forms(language).iter().copied().collect();
            let found: BTreeSet<&str> = forms.keys().map(String::as_str).collect();
            assert_eq!(found, expected, "{language:?}: {stem}");
            for text in forms.values() {
                assert_eq!(placeholders(text), placeholders(&english[&stem]["other"]), "{language:?}: {stem}");
            }
        }
    }
}

#[test]
fn names_of_the_domain_have_texts() {
    let mut keys: Vec<String> = Vec::new();
    keys.extend(KnownRight::ALL.iter().map(|right| format!("right.{}", right.as_str())));
    for action in Action::ALL {
        keys.extend([format!("action.{}", action.name()), format!("audit.{}", action.name())]);
    }
    keys.extend(EventOutcome::ALL.iter().map(|outcome| format!("audit.{}", outcome.name())));
    keys.extend(SubjectKind::ALL.iter().map(|kind| format!("subject.{}", kind.name())));
    keys.extend(EndReason::ALL.iter().map(|why| format!("ended_why.{}", why.name())));
    keys.extend(Environment::ALL.iter().map(|environment| format!("environment.{}", environment.name())));
    keys.extend(DeviceStatus::ALL.iter().map(|status| format!("board.{}", status.name())));
    keys.extend(KeyStorage::ALL.iter().map(|storage| format!("key_storage.{}", storage.name())));
    keys.extend(DeviceKeyState::ALL.iter().map(|state| format!("key_state.{}", state.name())));
    for state in PendingKeyStatus::ALL {
        keys.extend([format!("machine.{}", state.name()), format!("machine.{}.text", state.name())]);
    }
    keys.extend(UserStatus::ALL.iter().map(|status| format!("user_status.{}", status.name())));
    keys.extend(TicketStatus::ALL.iter().map(|status| format!("ticket_state.{}", status.name())));
    keys.extend(PaymentMethod::ALL.iter().map(|method| format!("payment.{}", method.name())));
    for language in PageLanguage::ALL {
        let catalog = catalog(language);
        let missing: Vec<&String> = keys.iter().filter(|key| !catalog.contains_key(*key)).collect();
        assert!(missing.is_empty(), "{language:?}: {missing:?}");
    }
}

/// The codes of errors in the native API, as the sources name them. A failed login has one code for
/// all reasons that are not the person's to know, and invalid fields have one for all fields.
fn problem_codes() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sources =
        ["http/src/error.rs", "auth-core/src/error.rs", "domain/src/office/error.rs", "domain/src/ticket/error.rs"];
    let mut codes = BTreeSet::new();
    for source in sources {
        let text = std::fs::read_to_string(crates.join(source)).unwrap();
        let before = codes.len();
        for line in text.lines().filter(|line| line.trim_start().starts_with("Self::") && line.contains("=> ")) {
            let code = line.rsplit_once(" => ").unwrap().1.split('"').nth(1).unwrap_or_default();
            let is_code = code.contains('_') || ["unavailable", "internal"].contains(&code);
            if is_code && !code.contains(' ') && !line.contains("DenialKind::InvalidFields") {
                codes.insert(code.to_owned());
            }
        }
        assert!(codes.len() > before + 3, "{source} has no codes");
    }
    let is_secret = |code: &String| code.starts_with("login_") && !["login_mismatch", "login_held"].contains(&&**code);
    codes.retain(|code| !is_secret(code));
    codes.insert("fields_invalid".to_owned());
    codes
}

#[test]
fn every_problem_code_has_a_text() {
    let codes = problem_codes();
    for known in ["unavailable", "body_malformed", "secret_overlap", "token_expired", "right_missing", "ticket_unpaid"]
    {
        assert!(codes.contains(known), "{known}: {codes:?}");
    }
    for language in PageLanguage::ALL {
        let catalog = catalog(language);
        let missing: Vec<&String> =
            codes.iter().filter(|code| !catalog.contains_key(&format!("problem.{code}"))).collect();
        assert!(missing.is_empty(), "{language:?}: {missing:?}");
    }
}

/// The quoted names in a source between two texts.
fn names_between(source: &str, start: &str, end: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(source);
    let text = std::fs::read_to_string(path).unwrap();
    let part = text.split_once(start).unwrap().1.split_once(end).unwrap().0;
    let names: Vec<String> = part.split('"').skip(1).step_by(2).map(ToOwned::to_owned).collect();
    assert!(names.len() > 5, "{source} has no names: {names:?}");
    names
}

#[test]
fn every_error_of_a_field_and_fault_of_the_audit_log_has_a_text() {
    let codes = names_between("http/src/error/field_error_code.rs", "\ncodes! {", "\n}");
    let rules = names_between("http/src/error/violation_message.rs", "NAMES: [&'static str;", "];");
    let faults = names_between("domain/src/audit/chain.rs", "pub const fn code", "\n    }\n}");
    for known in ["required", "weak", "contrast", "max_characters"] {
        assert!(codes.iter().chain(&rules).any(|name| name == known), "{known}: {codes:?} {rules:?}");
    }
    let mut keys: Vec<String> = codes.iter().chain(&rules).map(|name| format!("field_error.{name}")).collect();
    let others = ["seal_missing", "not_verified"].map(ToOwned::to_owned);
    keys.extend(faults.iter().chain(&others).map(|code| format!("seal_fault.{code}")));
    for language in PageLanguage::ALL {
        let catalog = catalog(language);
        let missing: Vec<&String> = keys.iter().filter(|key| !catalog.contains_key(*key)).collect();
        assert!(missing.is_empty(), "{language:?}: {missing:?}");
    }
}

#[test]
fn every_reason_of_a_denial_has_a_text() {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("../auth-core/src");
    let text = |file: &str| std::fs::read_to_string(engine.join(file)).unwrap();
    // of the checks of a proof, only the codes of its denial
    let proofs = text("dpop/denied.rs").split("impl ProofFault").next().unwrap().to_owned();
    let text = text("error.rs") + &proofs;
    let codes: BTreeSet<&str> = text.lines().filter_map(|line| line.split_once("=> \"")?.1.split('"').next()).collect();
    assert!(codes.len() > 15 && codes.contains("login_mismatch") && codes.contains("token_expired"), "{codes:?}");
    assert!(codes.contains("proof_missing") && !codes.contains("htu"), "{codes:?}");
    for language in PageLanguage::ALL {
        let catalog = catalog(language);
        let missing: Vec<_> = codes.iter().filter(|code| !catalog.contains_key(&format!("why.{code}"))).collect();
        assert!(missing.is_empty(), "{language:?}: {missing:?}");
    }
}

#[test]
fn every_key_is_defined_once() {
    // a parser keeps the last of two without a word
    for language in PageLanguage::ALL {
        let files = FOLDERS.map(|folder| find_asset(&format!("{folder}/{}.json", language.tag())).unwrap());
        let texts = files.map(|file| String::from_utf8_lossy(&file.bytes).into_owned()).concat();
        let lines = texts.lines().filter(|line| line.contains("\": \"")).count();
        assert_eq!(lines, catalog(language).len(), "{language:?}");
    }
}

/// How modules name a text, and what of a key follows there.
const NAMES_OF_TEXTS: [(&str, &[&str]); 8] = [
    ("(t(\"", &[""]),
    (" t(\"", &[""]),
    ("{t(\"", &[""]),
    ("tn(\"", &[".other"]),
    ("wording(\"", &["", ".title", ".text"]),
    (" entry(\"", &[""]),
    (" column(\"", &[""]),
    (" [\"", &[""]),
];

#[test]
fn texts_that_modules_name_exist() {
    let english = catalog(PageLanguage::English);
    let mut checked = 0;
    for asset in assets().iter().filter(|asset| asset.path.starts_with("src/")) {
        // a list that has a name, or whose first text has no part, names no texts
        let module = String::from_utf8_lossy(&asset.bytes).replace("= [\"", "");
        for (call, suffixes) in NAMES_OF_TEXTS {
            for rest in module.split(call).skip(1) {
                let name = rest.split('"').next().unwrap();
                if call == " [\"" && !name.contains('.') {
                    continue;
                }
                for suffix in suffixes {
                    let key = format!("{name}{suffix}");
                    assert!(english.contains_key(&key), "{}: {key}", asset.path);
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 200, "only {checked} texts were found");
}

/// A field of a form has the label of the member with its name, unless it has one of its own.
#[test]
fn fields_of_forms_have_labels() {
    let english = catalog(PageLanguage::English);
    let mut checked = 0;
    for asset in assets().iter().filter(|asset| asset.path.starts_with("src/actions/")) {
        let module = String::from_utf8_lossy(&asset.bytes).into_owned();
        for field in module.lines().filter_map(|line| line.trim_start().strip_prefix("{ name: \"")) {
            let name = field.split('"').next().unwrap();
            // what is spread into a field may be its label
            if !field.contains("label: ") && !field.contains("...") {
                assert!(english.contains_key(&format!("field.{name}")), "{}: {name}", asset.path);
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "only {checked} fields were found");
}
