"""A resource server in Python with standard libraries: Authlib introspects and revokes, joserfc checks signatures.

It prints each step that succeeds and ends with an error otherwise.
"""

import os

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

# the server in the test does not use TLS
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

base, issuer, client_id, client_secret, access, refresh, other_refresh = (
    os.environ[name]
    for name in ("BASE", "ISSUER", "CLIENT_ID", "CLIENT_SECRET", "ACCESS", "REFRESH", "OTHER_REFRESH")
)

where = get_well_known_url(issuer, external=True) if issuer.startswith("http") else base + get_well_known_url("https://x")
metadata = AuthorizationServerMetadata(requests.get(where, timeout=10).json())
assert metadata["issuer"] == issuer, metadata
if issuer.startswith("http"):
    metadata.validate_issuer()
metadata.validate_jwks_uri()
metadata.validate_introspection_endpoint()
metadata.validate_introspection_endpoint_auth_methods_supported()
metadata.validate_revocation_endpoint()
metadata.validate_revocation_endpoint_auth_methods_supported()
print("metadata")

published = requests.get(metadata["jwks_uri"], timeout=10)
again = requests.get(metadata["jwks_uri"], headers={"If-None-Match": published.headers["etag"]}, timeout=10)
assert (again.status_code, again.content) == (304, b"")
keys = KeySet.import_key_set(published.json())
token = jwt.decode(access, keys, algorithms=["EdDSA"])
assert token.header["typ"] == "at+jwt", token.header
jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": issuer}, exp={"essential": True}, sub={"essential": True}
).validate(token.claims)
head, payload, signature = access.split(".")
try:
    forged = ("B" if signature[0] == "A" else "A") + signature[1:]
    jwt.decode(".".join((head, payload, forged)), keys, algorithms=["EdDSA"])
    raise SystemExit("a forged signature was accepted")
except BadSignatureError:
    pass
print("signature")

for method in metadata["introspection_endpoint_auth_methods_supported"]:
    client = OAuth2Session(
        client_id,
        client_secret,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
    )
    result = client.introspect_token(metadata["introspection_endpoint"], token=access).json()
    assert result["active"] and result["username"] == "cashier" and result["token_type"] == "Bearer", result
    for claim in ("iss", "sub", "aud", "jti", "exp", "iat", "client_id"):
        assert result[claim] == token.claims[claim], (claim, result)
    assert result["session"] == token.claims["sid"] and "ticketClose" in result["scope"].split(), result
    for other in (refresh, other_refresh):
        result = client.introspect_token(
            metadata["introspection_endpoint"], token=other, token_type_hint="refresh_token"
        ).json()
        assert result["active"] and result["token_use"] == "refresh", result
    assert client.introspect_token(metadata["introspection_endpoint"], token="x").json() == {"active": False}
    print("introspection", method)

stranger = OAuth2Session(client_id, "wrong")
refused = stranger.introspect_token(metadata["introspection_endpoint"], token=access)
assert refused.status_code == 401 and refused.json()["error"] == "invalid_client", refused.text
assert refused.headers["www-authenticate"].startswith("Basic "), refused.headers
print("stranger")

client = OAuth2Session(client_id, client_secret)
for attempt in range(2):
    revoked = client.revoke_token(
        metadata["revocation_endpoint"], token=refresh, token_type_hint="refresh_token"
    )
    assert revoked.status_code == 200 and not revoked.content, revoked.text
for revoked_token in (access, refresh):
    assert client.introspect_token(metadata["introspection_endpoint"], token=revoked_token).json() == {"active": False}
assert client.introspect_token(metadata["introspection_endpoint"], token=other_refresh).json()["active"]
print("revocation")
