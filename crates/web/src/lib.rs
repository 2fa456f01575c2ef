//! The web back office: the files of the app, the auth pages, and their texts in every language.
//!
//! This crate knows neither HTTP nor a store. `tillgate-http` serves what is here:
//!
//! - [`find_asset`] returns a file of the app. Files are served below `<prefix>/a/<digest>/`, may
//!   be cached forever, and change their address whenever any file changes ([`digest`]).
//! - [`render_index`] renders the document of the app for a page of it ([`PAGES`]).
//! - [`SignInPage`], [`SetUpPage`], [`VerifyEmailPage`], [`SignedOutPage`] and [`ErrorPage`] are
//!   plain forms and pages that work without scripts. They are rendered in a [`PageLanguage`].
//!
//! The app consists of ES modules that are served as they are written, over lit-html
//! (`app/vendor/lit-html`). No build step creates them. It calls the native API and needs nothing
//! else. What to know before you change it:
//!
//! - The content security policy forbids inline styles and scripts. `style="..."` in a template,
//!   and lit's `styleMap`, set the attribute and are refused: use classes, or
//!   `element.style.setProperty` in a `ref`.
//! - The policy requires trusted types, and lit-html's policy `lit-html` is the only one. No other
//!   module assigns HTML text.
//! - `form-action 'self'` also forbids a redirect to another origin after a form in Chromium.
//! - Web locks, the clipboard and passkeys require a secure context. Every use has a fallback.

mod assets;
mod index;
mod page_language;
mod pages;

pub use assets::{Asset, assets, digest, find_asset};
pub use index::{IndexPage, PAGES, render_index};
pub use page_language::PageLanguage;
pub use pages::{
    ErrorPage, InvitationNotice, InvitationPage, PageError, SetUpField, SetUpNotice, SetUpPage, SignInNotice,
    SignInPage, SignedOutPage, VerifyEmailPage, VerifyEmailState,
};
