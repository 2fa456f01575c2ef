//! OpenAPI documentation of the access check.

use crate::openapi::{OperationDoc, text_schema};

pub(super) fn check_access() -> OperationDoc {
    let (method, target) = ("The method of the original request.", "The target of the original request.");
    OperationDoc::new("gateways", "Check whether a gateway may pass a request on")
        .description(
            "For gateways: nginx sends the original request in `X-Original-*` (ingress-nginx the \
             target in `X-Original-URL`), Traefik and Caddy in `X-Forwarded-*`, with the headers of the \
             original request. A denial has the format of the dialect whose tokens the matching row \
             accepts, and its code in `X-Tillgate-Code`.",
        )
        .header_parameter("X-Original-Method", method, text_schema())
        .header_parameter("X-Original-URI", target, text_schema())
        .header_parameter(
            "X-Original-URL",
            "The full URL of the original request, of which path and query \
             are used.",
            text_schema(),
        )
        .header_parameter("X-Forwarded-Method", method, text_schema())
        .header_parameter("X-Forwarded-Uri", target, text_schema())
        .no_content("The request may pass; the headers `X-Tillgate-*` describe the caller.")
        .error(400, "The headers with the original request are missing, or cannot be read.")
        .error(
            401,
            "The original request has no access token, or one that is invalid or expired or whose session has ended. \
             The client refreshes once, and repeats its request with the new token. If the code is `use_dpop_nonce`, \
             `proof_missing` or `proof_invalid`, the token is still valid: the client repeats its request with a valid \
             proof.",
        )
        .error(403, "The caller may not send the original request, or no row of the access table matches it.")
        .errors(&[429])
}
