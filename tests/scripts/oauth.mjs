// A resource server in JavaScript with standard libraries: oauth4webapi discovers the server, introspects, revokes and checks access
// tokens; jose checks signatures. It prints each step that succeeds and ends with an error otherwise.

import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'

// in Node.js 18 it does not have this name
globalThis.crypto ??= webcrypto

const { createRemoteJWKSet, errors, jwtVerify } = await import('jose')
const oauth = await import('oauth4webapi')

const { BASE, ISSUER, CLIENT_ID, CLIENT_SECRET, ACCESS, REFRESH, OTHER_REFRESH } = process.env
// the server in the test does not use TLS
const insecure = { [oauth.allowInsecureRequests]: true }

const issuer = new URL(ISSUER)
const found = issuer.protocol.startsWith('http')
  ? await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
  : await fetch(`${BASE}/.well-known/oauth-authorization-server`)
const server = await oauth.processDiscoveryResponse(issuer, found)
console.log('metadata')

const keys = createRemoteJWKSet(new URL(server.jwks_uri))
const { payload, protectedHeader } = await jwtVerify(ACCESS, keys, { issuer: ISSUER, typ: 'at+jwt' })
assert.equal(protectedHeader.alg, 'EdDSA')
await assert.rejects(jwtVerify(ACCESS, keys, { issuer: 'https://another.example' }), errors.JWTClaimValidationFailed)
const [head, , signature] = ACCESS.split('.')
const promoted = Buffer.from(JSON.stringify({ ...payload, scope: 'admin' })).toString('base64url')
await assert.rejects(jwtVerify(`${head}.${promoted}.${signature}`, keys), errors.JWSSignatureVerificationFailed)
console.log('signature')

const request = new Request('https://api.example/tickets', { headers: { authorization: `Bearer ${ACCESS}` } })
const claims = await oauth.validateJwtAccessToken(server, request, payload.aud, insecure)
assert.equal(claims.sub, payload.sub)
console.log('access token')

const client = { client_id: CLIENT_ID }
const introspect = async (authentication, token, options = {}) => {
  const response = await oauth.introspectionRequest(server, client, authentication, token, { ...insecure, ...options })
  return oauth.processIntrospectionResponse(server, client, response)
}
const authentications = {
  client_secret_basic: oauth.ClientSecretBasic(CLIENT_SECRET),
  client_secret_post: oauth.ClientSecretPost(CLIENT_SECRET),
}
for (const method of server.introspection_endpoint_auth_methods_supported) {
  const result = await introspect(authentications[method], ACCESS)
  assert.ok(result.active && result.username === 'cashier' && result.token_type === 'Bearer')
  for (const claim of ['iss', 'sub', 'aud', 'jti', 'exp', 'iat', 'client_id']) assert.equal(result[claim], payload[claim], claim)
  for (const other of [REFRESH, OTHER_REFRESH]) {
    const hint = new URLSearchParams({ token_type_hint: 'refresh_token' })
    assert.equal((await introspect(authentications[method], other, { additionalParameters: hint })).token_use, 'refresh')
  }
  assert.deepEqual(await introspect(authentications[method], 'x'), { active: false })
  console.log('introspection', method)
}

await assert.rejects(introspect(oauth.ClientSecretBasic('wrong'), ACCESS), (error) => {
  const challenged = error instanceof oauth.WWWAuthenticateChallengeError && error.cause[0].scheme === 'basic'
  assert.ok(challenged || error.error === 'invalid_client', String(error))
  return error.status === 401
})
console.log('stranger')

for (let attempt = 0; attempt < 2; attempt += 1) {
  const response = await oauth.revocationRequest(server, client, authentications.client_secret_basic, ACCESS, insecure)
  await oauth.processRevocationResponse(response)
}
for (const revoked of [ACCESS, REFRESH]) assert.deepEqual(await introspect(authentications.client_secret_basic, revoked), { active: false })
assert.ok((await introspect(authentications.client_secret_post, OTHER_REFRESH)).active)
console.log('revocation')
