//! Why a proof is not accepted.

/// The greatest length of a value that an error repeats, in characters.
const MAX_SHOWN_CHARS: usize = 200;

/// Why a request does not prove that its client has the key. Sessions and tokens are not affected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofDenied {
    /// The request has no proof.
    #[error("a proof of the client's key is required in the header `DPoP`")]
    Missing,
    /// The nonce of the proof is missing, unknown or too old.
    #[error("repeat the request with a proof that has the `nonce` of the header `DPoP-Nonce`")]
    Nonce,
    /// A check of the proof has failed.
    #[error("the proof in the header `DPoP` is not valid: {0}")]
    Invalid(#[from] ProofFault),
}

/// The check of a proof that has failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// It is not one JWT, or too long.
    #[error("it must be one JWT of at most 4096 bytes with a JSON header and JSON claims")]
    Format,
    /// The header parameter `typ` is another one.
    #[error("`typ` must be `dpop+jwt`")]
    Type,
    /// The algorithm is not supported.
    #[error("`alg` must be ES256 or EdDSA")]
    Algorithm,
    /// The header has no public key of the algorithm.
    #[error("`jwk` must be a public key of `alg`, on P-256 or Ed25519, without private members")]
    Jwk,
    /// The key in the header did not sign the proof.
    #[error("the signature was not made with the key in `jwk`")]
    Signature,
    /// The proof has no identifier.
    #[error("`jti` must be a text that no other proof has")]
    Id,
    /// The proof has no instant of issue.
    #[error("`iat` must be a number")]
    IssuedAt,
    /// The proof was made for another method.
    #[error("`htm` is \"{received}\", but the method of the request is \"{expected}\"")]
    Method {
        /// The method of the request.
        expected: String,
        /// The method in the proof.
        received: String,
    },
    /// The proof was made for another URI.
    #[error("`htu` is \"{received}\", but the URI of the request is \"{expected}\"")]
    Uri {
        /// The URI of the request.
        expected: String,
        /// The URI in the proof.
        received: String,
    },
    /// The proof was made for another access token, or for none.
    #[error("`ath` must be the SHA-256 of the access token in base64url")]
    AccessToken,
    /// The session or the access token is not bound to the key of the proof.
    #[error("the token is not bound to the key in `jwk`")]
    Key,
    /// The proof was accepted before.
    #[error("a proof with this `jti` was already used; make a new proof for each request")]
    Replayed,
}

impl ProofDenied {
    /// The stable code of the denial in responses, logs and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "proof_missing",
            Self::Nonce => "use_dpop_nonce",
            Self::Invalid(_) => "proof_invalid",
        }
    }

    /// The check that has failed.
    pub const fn fault(&self) -> Option<&ProofFault> {
        match self {
            Self::Missing | Self::Nonce => None,
            Self::Invalid(fault) => Some(fault),
        }
    }
}

impl ProofFault {
    pub(super) fn method(expected: &str, received: &str) -> Self {
        Self::Method {
            expected: truncate_chars(expected, MAX_SHOWN_CHARS),
            received: truncate_chars(received, MAX_SHOWN_CHARS),
        }
    }

    pub(super) fn uri(expected: &str, received: &str) -> Self {
        Self::Uri {
            expected: truncate_chars(expected, MAX_SHOWN_CHARS),
            received: truncate_chars(received, MAX_SHOWN_CHARS),
        }
    }

    /// The stable name of the check: a header parameter or a claim of the proof, or `format`,
    /// `signature` or `key`.
    pub const fn check(&self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Type => "typ",
            Self::Algorithm => "alg",
            Self::Jwk => "jwk",
            Self::Signature => "signature",
            Self::Id | Self::Replayed => "jti",
            Self::IssuedAt => "iat",
            Self::Method { .. } => "htm",
            Self::Uri { .. } => "htu",
            Self::AccessToken => "ath",
            Self::Key => "key",
        }
    }

    /// What the check expected and what the proof contains, if both can be shown.
    pub fn expected_and_received(&self) -> Option<(&str, &str)> {
        match self {
            Self::Method { expected, received } | Self::Uri { expected, received } => Some((expected, received)),
            _ => None,
        }
    }
}

/// The beginning of a text that a client has sent, as errors and the audit repeat it.
pub(crate) fn truncate_chars(text: &str, max_chars: usize) -> String {
    text.chars().take(max_chars).collect()
}
