// node-oidc-provider doing the work that tenantry-idp is measured at: ES256 JWT access tokens for one API,
// PKCE, rotated refresh tokens, a sign-in page that checks argon2id. Its own in-memory adapter keeps the state,
// so it writes nothing to disk; tenantry-idp, beside it, commits every code and refresh token.
//
//   node server.mjs [port]      prints {"issuer", …} on one line when it listens
import { createServer } from 'node:http'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import Provider from 'oidc-provider'

const port = Number(process.argv[2] ?? 0)
const api = 'http://localhost/api'
const redirectUri = 'http://localhost:3000/callback'
const account = { username: 'user@example.com', password: randomUUID() }
// The parameters of tenantry-idp: 19 MiB, two passes, one lane (algorithm 2 is argon2id).
const passwordHash = await hash(account.password, { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 })

const server = createServer()
await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const machine = { client_id: 'machine', client_secret: randomUUID() + randomUUID(), scope: 'tenant_settings.read' }

const provider = new Provider(issuer, {
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'bench' }] },
  cookies: { keys: [randomUUID()] },
  clients: [
    {
      client_id: machine.client_id, client_secret: machine.client_secret, token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['client_credentials'], response_types: [], redirect_uris: [], id_token_signed_response_alg: 'ES256',
    },
    {
      client_id: 'public', token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'], redirect_uris: [redirectUri], id_token_signed_response_alg: 'ES256',
    },
  ],
  scopes: ['openid', 'offline_access'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  ttl: {
    AccessToken: 600, AuthorizationCode: 60, ClientCredentials: 600, Grant: 86_400, IdToken: 600, Interaction: 600,
    RefreshToken: 86_400, Session: 86_400,
  },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => api,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'tenant_settings.read', audience: api, accessTokenTTL: 600, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  interactions: { url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  // A first-party client: the grant is made without asking.
  async loadExistingGrant(ctx) {
    const id = ctx.oidc.session.grantIdFor(ctx.oidc.client.clientId)
    const kept = id && await provider.Grant.find(id)
    if (kept) return kept
    const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId })
    grant.addOIDCScope('openid offline_access')
    grant.addResourceScope(api, 'tenant_settings.read')
    await grant.save()
    return grant
  },
})

const page = (uid) => `<!doctype html><html lang="en"><title>Sign in</title><form method="post" action="/sign-in/${uid}">
<input name="username"><input name="password" type="password"><button id="sign-in" type="submit">Sign in</button></form></html>`

async function formOf(request) {
  let body = ''
  for await (const chunk of request) body += chunk
  return new URLSearchParams(body)
}

async function signIn(request, response, uid) {
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'text/html' }).end(page(uid))
    return
  }
  const form = await formOf(request)
  const valid = form.get('username') === account.username && await verify(passwordHash, form.get('password') ?? '')
  if (!valid) {
    response.writeHead(403, { 'content-type': 'text/html' }).end(page(uid))
    return
  }
  await provider.interactionFinished(request, response, { login: { accountId: 'user', amr: ['pwd'] } })
}

const handle = provider.callback()
server.on('request', (request, response) => {
  const uid = request.url.match(/^\/sign-in\/([\w-]+)$/)?.[1]
  if (request.url === '/readyz') response.writeHead(200).end('ok')
  else if (uid) signIn(request, response, uid).catch((error) => response.writeHead(500).end(String(error)))
  else handle(request, response)
})

console.log(JSON.stringify({
  issuer, api, users: [account],
  clients: { public: { client_id: 'public', redirect_uris: [redirectUri] }, machine },
}))
process.on('SIGTERM', () => { server.closeAllConnections(); server.close() })
