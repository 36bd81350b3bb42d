// A relying party's whole day with openid-client: discovery, code + PKCE, userinfo, refresh, client credentials.
//
//   node flow.mjs '{"issuer": …, "client_id": …, "redirect_uri": …, "username": …, "password": …, "scope": …}'
//
// The JSON may also come in the variable RELYING_PARTY, which does not show up in a list of processes.
//   issuer          the tenant's issuer
//   client_id, client_secret, auth_method (none | client_secret_basic | client_secret_post | private_key_jwt), private_key (JWK)
//   redirect_uri, scope, resource          of the authorization request
//   username, password                     typed into the hosted sign-in page
//   machine         { client_id, client_secret, scope, resource, auth_method }, for client credentials
// Without `client_id` only the machine's part runs, and the other way round.
// Prints one JSON line; on failure the reason goes to standard error and the exit code is 1.
import { authorizationCode, clientCredentials, ensure, reason } from './relying-party.mjs'

try {
  const given = process.argv[2] ?? process.env.RELYING_PARTY
  ensure(given, 'usage: node flow.mjs <json>, or the JSON in RELYING_PARTY')
  const input = JSON.parse(given)
  const result = {}
  if (input.client_id) result.code = await authorizationCode(input)
  if (input.machine) result.machine = await clientCredentials(input.issuer, input.machine)
  console.log(JSON.stringify(result))
} catch (error) {
  console.error(`relying party: ${reason(error)}`)
  process.exitCode = 1
}
