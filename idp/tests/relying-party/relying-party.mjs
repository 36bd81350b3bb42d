// A relying party made of openid-client: discovery, code + PKCE, userinfo, refresh, client credentials.
import './webcrypto.mjs'
import * as client from 'openid-client'
import { signIn } from './hosted-pages.mjs'

export function ensure(condition, message) {
  if (!condition) throw new Error(message)
}

/** The claims of a JWT that somebody else verifies. */
function payload(token) {
  ensure(token.split('.').length === 3, 'the access token is not a JWT')
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
}

async function authentication({ auth_method: method, client_secret: secret, private_key: jwk }) {
  switch (method ?? (secret ? 'client_secret_basic' : 'none')) {
    case 'none': return client.None()
    case 'client_secret_basic': return client.ClientSecretBasic(secret)
    case 'client_secret_post': return client.ClientSecretPost(secret)
    case 'private_key_jwt': {
      const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
      return client.PrivateKeyJwt({ key, kid: jwk.kid })
    }
    default: throw new Error(`unknown auth_method ${method}`)
  }
}

async function discover(issuer, party) {
  return client.discovery(new URL(issuer), party.client_id, undefined, await authentication(party), {
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks], timeout: 20,
  })
}

const withResource = (parameters, resource) => (resource ? { ...parameters, resource } : parameters)

/** Code + PKCE with state and nonce, userinfo, refresh. */
export async function authorizationCode(input) {
  const config = await discover(input.issuer, input)
  const metadata = config.serverMetadata()
  ensure(metadata.issuer === input.issuer, `discovery names the issuer ${metadata.issuer}`)
  ensure(metadata.code_challenge_methods_supported?.join() === 'S256', 'discovery does not offer exactly S256')

  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const nonce = client.randomNonce()
  const authorizationUrl = client.buildAuthorizationUrl(config, withResource({
    redirect_uri: input.redirect_uri,
    scope: input.scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  }, input.resource))

  const { callback, pages, jar } = await signIn({
    authorizationUrl, redirectUri: input.redirect_uri, username: input.username, password: input.password,
  })
  ensure(callback.searchParams.get('iss') === input.issuer, `iss in the response is ${callback.searchParams.get('iss')} (RFC 9207 §2)`)

  const tokens = await client.authorizationCodeGrant(
    config, callback, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true },
    withResource({}, input.resource),
  )
  const claims = tokens.claims()
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)

  const result = {
    issuer: metadata.issuer, pages, cookies: jar.names, sub: claims.sub, id_token_claims: claims, userinfo,
    access_token: tokens.access_token, access_token_claims: payload(tokens.access_token), scope: tokens.scope,
    expires_in: tokens.expires_in, id_token: tokens.id_token, refresh_token: tokens.refresh_token,
  }
  if (tokens.refresh_token) {
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, withResource({}, input.resource))
    ensure(refreshed.access_token !== tokens.access_token, 'the refresh gave the same access token')
    ensure(refreshed.refresh_token && refreshed.refresh_token !== tokens.refresh_token, 'the refresh token was not rotated')
    ensure(payload(refreshed.access_token).sub === claims.sub, 'the refresh changed the subject')
    result.refreshed = { access_token: refreshed.access_token, refresh_token: refreshed.refresh_token, scope: refreshed.scope }
  }
  return result
}

export async function clientCredentials(issuer, machine) {
  const config = await discover(issuer, machine)
  const tokens = await client.clientCredentialsGrant(config, withResource({ scope: machine.scope }, machine.resource))
  ensure(tokens.token_type === 'bearer', `token_type ${tokens.token_type}`)
  ensure(!tokens.refresh_token, 'a refresh token was issued to a machine (RFC 6749 §4.4.3)')
  const claims = payload(tokens.access_token)
  ensure(claims.client_id === machine.client_id, `client_id of the token is ${claims.client_id}`)
  return { access_token: tokens.access_token, access_token_claims: claims, scope: tokens.scope, expires_in: tokens.expires_in }
}

/** An error's own message and those of its causes: openid-client keeps the server's words in `cause`. */
export function reason(error) {
  const parts = []
  for (let one = error; one && parts.length < 4; one = one.cause) {
    if (one instanceof Error) parts.push([one.code, one.error, one.error_description, one.message].filter(Boolean).join(' '))
    else parts.push(JSON.stringify(one))
  }
  return parts.join(' <- ')
}
