// Signs every demo user in at a running Tenantry, through the public and the confidential client, gets the machine's token,
// and shows each access token to the API, which must take those and nothing else.
//
//   node demo.mjs data/demo.json
import { readFileSync } from 'node:fs'
import { authorizationCode, clientCredentials, ensure, reason } from './relying-party.mjs'

async function me(api, token) {
  const response = await fetch(`${api}/api/v1/me`, { headers: token ? { authorization: `Bearer ${token}` } : {} })
  const body = await response.json()
  if (response.status === 401) {
    ensure(response.headers.get('www-authenticate')?.startsWith('Bearer'), 'a 401 without WWW-Authenticate')
    ensure(response.headers.get('content-type').startsWith('application/problem+json'), 'a 401 that is no problem document')
  }
  return { status: response.status, body }
}

async function accepted(api, token, who) {
  const { status, body } = await me(api, token)
  ensure(status === 200, `${who}: GET /api/v1/me answered ${status} ${JSON.stringify(body)}`)
  console.log(`${who}: GET /api/v1/me 200`)
}

async function refused(api, token, what) {
  const { status } = await me(api, token)
  ensure(status === 401, `${what}: GET /api/v1/me answered ${status}, not 401`)
  console.log(`${what}: GET /api/v1/me 401`)
}

try {
  const { issuer, api, users, clients } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
  ensure(clients.public.redirect_uris.includes('http://localhost:3000/callback'), 'the public client lacks its redirect URI')
  const ways = [
    ['public client', { ...clients.public, redirect_uri: 'http://localhost:3000/callback' }],
    ['public client, loopback with a port (RFC 8252 §7.3)', { ...clients.public, redirect_uri: 'http://127.0.0.1:49152/callback' }],
    ['confidential client', { ...clients.confidential, redirect_uri: clients.confidential.redirect_uris[0] }],
  ]
  let seen
  for (const { username, password } of users) {
    for (const [name, client] of ways) {
      seen = await authorizationCode({ issuer, ...client, username, password, scope: 'openid profile email offline_access api' })
      await accepted(api, seen.access_token, `${username}, ${name}`)
      if (seen.refreshed) await accepted(api, seen.refreshed.access_token, `${username}, ${name}, refreshed`)
    }
  }
  const machine = await clientCredentials(issuer, clients.machine)
  await accepted(api, machine.access_token, 'machine client')

  await refused(api, undefined, 'no token')
  await refused(api, 'not.a.token', 'no JWT')
  await refused(api, seen.id_token, 'an ID token')
  await refused(api, seen.refresh_token ?? 'x', 'a refresh token')
  const [header, payload] = machine.access_token.split('.')
  await refused(api, `${header}.${payload}.${'A'.repeat(86)}`, 'a forged signature')
} catch (error) {
  console.error(`demo: ${reason(error)}`)
  process.exitCode = 1
}
