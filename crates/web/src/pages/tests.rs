use std::collections::BTreeMap;

use super::*;

const PAGE: SignInPage<'_> = SignInPage {
    language: PageLanguage::English,
    prefix: "/office",
    tenant: Some("Corner & Co"),
    next: "/office/people?search=\"x\"",
    login: "<img src=x onerror=alert(1)>",
    notice: None,
};

#[test]
fn sign_in_page_escapes_what_was_entered() {
    let html = PAGE.render();
    assert!(!html.contains("<img"), "{html}");
    assert!(html.contains("Corner &#38; Co"), "{html}");
    assert!(!html.contains("search=\"x\""), "{html}");
    assert!(html.contains("action=\"/office/sign-in\""));
}

#[test]
fn invitation_page_escapes_the_token_and_loads_one_script() {
    for language in PageLanguage::ALL {
        for notice in [InvitationNotice::Invalid, InvitationNotice::WeakPassword, InvitationNotice::Unavailable] {
            let page = InvitationPage { language, prefix: "/office", token: "\"><img src=x>", notice: Some(notice) };
            let html = page.render();
            assert!(!html.contains("<img") && !html.contains("style="), "{html}");
            assert_eq!((html.matches("<script").count(), html.matches("/src/token.js\"></script>").count()), (1, 1));
            assert!(!html.contains("auth.invitation"), "a text is missing: {html}");
        }
    }
}

#[test]
fn sign_in_page_asks_a_new_password_only_if_required() {
    assert!(!PAGE.render().contains("new_password"));
    for notice in [SignInNotice::PasswordChangeRequired, SignInNotice::WeakPassword] {
        let html = SignInPage { notice: Some(notice), ..PAGE }.render();
        assert!(html.contains("name=\"new_password\""));
    }
}

#[test]
fn saved_password_is_announced_as_success_and_all_else_as_failure() {
    let saved = SignInPage { notice: Some(SignInNotice::PasswordSaved), ..PAGE }.render();
    assert!(saved.contains("notice-good") && !saved.contains("notice-bad"));
    let expired = SignInPage { notice: Some(SignInNotice::Expired), ..PAGE }.render();
    assert!(expired.contains("notice-bad") && !expired.contains("notice-good"));
}

#[test]
fn throttled_notice_says_how_long() {
    for language in PageLanguage::ALL {
        let notice = Some(SignInNotice::Throttled { retry_after: 37 });
        assert!(SignInPage { language, notice, ..PAGE }.render().contains("37"), "{language:?}");
    }
}

#[test]
fn pages_have_no_inline_script_or_style_in_any_language() {
    for language in PageLanguage::ALL {
        let mut pages =
            vec![SignInPage { language, ..PAGE }.render(), SignedOutPage { language, prefix: "/office" }.render()];
        let errors = [
            PageError::NotFound,
            PageError::ForeignOrigin,
            PageError::PlainHttp,
            PageError::Throttled,
            PageError::Unavailable,
            PageError::AlreadySetUp,
            PageError::Other,
        ];
        pages.extend(
            errors.map(|error| ErrorPage { language, prefix: "/office", error, trace_id: Some("abc") }.render()),
        );
        let values = BTreeMap::from([(SetUpField::Shop, "Corner & Co".to_owned())]);
        let all = &SetUpField::ALL;
        for faults in [&[][..], all] {
            let notice = Some(SetUpNotice::Invalid);
            pages.push(SetUpPage { language, prefix: "/office", values: &values, faults, notice }.render());
        }
        for html in pages {
            assert!(html.contains(&format!("<html lang=\"{}\"", language.tag())));
            let scripts = html.matches("<script").count();
            assert_eq!(scripts, html.matches("/src/token.js\"></script>").count(), "{html}");
            assert_eq!(scripts, html.matches("name=\"token\"").count(), "{html}");
            assert!(!html.contains("<style") && !html.contains("style="), "{html}");
            assert!(!html.contains("auth."), "a text is missing: {html}");
        }
    }
}

#[test]
fn forms_offer_every_language_and_keep_where_to_continue() {
    for language in PageLanguage::ALL {
        let html = SignInPage { language, ..PAGE }.render();
        for other in PageLanguage::ALL {
            let link = format!("href=\"?lang={}&#38;next=%2Foffice%2Fpeople%3Fsearch%3D%22x%22\"", other.tag());
            assert!(html.contains(&link) && html.contains(&format!(">{}</a>", other.name())), "{html}");
        }
        let current = format!("hreflang=\"{}\" aria-current=\"true\"", language.tag());
        assert_eq!((html.matches("aria-current").count(), html.matches(&current).count()), (1, 1), "{html}");
        let signed_out = SignedOutPage { language, prefix: "/office" }.render();
        assert!(signed_out.contains("href=\"?lang=sk\""), "{signed_out}");
    }
}

#[test]
fn verify_email_page_escapes_the_token_and_the_names_and_has_no_script() {
    for language in PageLanguage::ALL {
        let subject = VerifyEmailState::Confirm { shop: "Corner <b>& Co", email: "anna<b>@example.com" };
        let states = [subject, VerifyEmailState::Verified, VerifyEmailState::Invalid, VerifyEmailState::Unavailable];
        for state in states {
            let html = VerifyEmailPage { language, prefix: "/office", token: "\"><script>", state }.render();
            let has_form = state == subject || state == VerifyEmailState::Unavailable;
            assert_eq!(html.contains("action=\"/office/verify-email\""), has_form, "{html}");
            let shows_subject =
                html.contains("Corner &#60;b&#62;&#38; Co") && html.contains("anna&#60;b&#62;@example.com");
            assert_eq!(shows_subject, state == subject, "{html}");
            assert!(!html.contains("<script") && !html.contains("<b>") && !html.contains("style="), "{html}");
            assert!(!html.contains("auth."), "a text is missing: {html}");
        }
    }
}

#[test]
fn set_up_page_keeps_what_was_entered_except_the_password() {
    let values = SetUpField::ALL.map(|field| (field, format!("<{}>\"secret\"", field.name()))).into();
    let faults = &[SetUpField::Zone, SetUpField::Password];
    let notice = Some(SetUpNotice::Throttled { retry_after: 37 });
    let html =
        SetUpPage { language: PageLanguage::English, prefix: "/office", values: &values, faults, notice }.render();
    for field in SetUpField::ALL {
        let kept = format!("value=\"&#60;{}&#62;&#34;secret&#34;\"", field.name());
        let is_kept = !matches!(field, SetUpField::Password | SetUpField::Locale);
        assert_eq!(html.contains(&kept), is_kept, "{field:?}: {html}");
        assert_eq!(html.contains(&format!("id=\"{}-fault\"", field.name())), faults.contains(&field), "{field:?}");
    }
    assert!(html.contains("37") && !html.contains("<zone>"), "{html}");
    assert!(html.contains("action=\"/office/set-up\""), "{html}");
}
