// Measures tenantry-idp and tenantry-api, what limits them on this machine, and node-oidc-provider on the same work.
//
//   node bench.mjs docs/benchmarks.md
//
// Called by deploy/bench/run, which builds everything and sets IDP_BINARY, API_BINARY, EXAMPLES, PEER_NODE,
// BENCH_SECONDS, BENCH_DIRECTORY and MARIADB_URL. With BENCH_ONLY=peer, limits, tenantry, guards, lists or audit it prints those
// figures and writes nothing.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, json, output, start, stopAll } from './processes.mjs'
import { report } from './report.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const { IDP_BINARY, API_BINARY, EXAMPLES, PEER_NODE, BENCH_ONLY, POLICIES, MARIADB_URL } = process.env
const seconds = Number(process.env.BENCH_SECONDS || 10)
const directory = process.env.BENCH_DIRECTORY
const CONNECTIONS = 16
const STARTS = 5
const GUARD_POLICIES = 50
const GUARD_ROUNDS = 3
const CLIENT = 'benchmark'
const REDIRECT_URI = 'http://localhost:3000/callback'
const SCOPE = 'openid offline_access api'

const say = (...words) => console.error(...words)

/** wrk with one thread: METHOD, BODY and AUTHORIZATION for the request. */
async function wrk(url, request = {}, connections = CONNECTIONS) {
  const environment = { PATH: process.env.PATH, ...request }
  const args = ['-t1', `-c${connections}`, '-s', join(here, 'wrk/request.lua'), url]
  await output('wrk', ['-d1s', ...args], { env: environment })
  return json('wrk', [`-d${seconds}s`, ...args], { env: environment })
}

const load = (scenario, target) => json(join(EXAMPLES, 'load'), [scenario, target, String(CONNECTIONS), String(seconds)])

function basic({ client_id: id, client_secret: secret }) {
  return `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`
}

/** The work that both providers do, in the same order and with the same generators. */
async function provider(target, name, server) {
  const file = join(directory, `${name}.json`)
  writeFileSync(file, JSON.stringify(target), { mode: 0o600 })
  const metadata = await (await fetch(`${target.issuer}/.well-known/openid-configuration`)).json()
  const figures = {}
  say(`${name}: client credentials`)
  figures.client_credentials = await wrk(metadata.token_endpoint, {
    METHOD: 'POST',
    AUTHORIZATION: basic(target.machine),
    BODY: new URLSearchParams({ grant_type: 'client_credentials', scope: target.machine.scope }).toString(),
  })
  const after_tokens = server.memory()
  for (const [figure, scenario] of [['refresh', 'refresh'], ['code_flow', 'code-flow'], ['sign_in', 'sign-in']]) {
    say(`${name}: ${scenario}`)
    figures[figure] = await load(scenario, file)
  }
  return { figures, after_tokens }
}

/** Starts and ends a server some times: the median time to its first answer. The last one is left running. */
async function startMeasured(launch) {
  const times = []
  for (let at = 1; ; at += 1) {
    const server = await launch()
    times.push(server.startup_ms)
    if (at === STARTS) return { server, startup_ms: times.sort((a, b) => a - b)[Math.floor(STARTS / 2)] }
    await server.stop()
  }
}

/** Both services with the demo tenant, migrated and not started. */
async function services(name) {
  const [idpPort, apiPort, idpMetrics, apiMetrics] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TENANTRY_IDP__HTTP__LISTEN: `127.0.0.1:${idpPort}`,
    TENANTRY_IDP__HTTP__PUBLIC_URL: `http://localhost:${idpPort}`,
    TENANTRY_IDP__METRICS__LISTEN: `127.0.0.1:${idpMetrics}`,
    TENANTRY_IDP__TOKENS__AUDIENCE: `http://localhost:${apiPort}`,
    TENANTRY_IDP__CONSOLE__URL: `http://localhost:${apiPort}`,
    // node-oidc-provider writes no log of its requests; here it is kept to what an operator must see.
    TENANTRY_IDP__TELEMETRY__FILTER: 'warn',
    TENANTRY_API__HTTP__LISTEN: `127.0.0.1:${apiPort}`,
    TENANTRY_API__HTTP__PUBLIC_URL: `http://localhost:${apiPort}`,
    TENANTRY_API__METRICS__LISTEN: `127.0.0.1:${apiMetrics}`,
    TENANTRY_API__IDP__URL: `http://localhost:${idpPort}`,
    TENANTRY_API__TELEMETRY__FILTER: 'warn',
    // Counted as in production, but for more than one caller will ever be allowed there.
    ...Object.fromEntries(['ADDRESS', 'TENANT', 'CLIENT', 'USER'].map(
      (kind) => [`TENANTRY_API__RATE_LIMITS__${kind}__REQUESTS`, '60000000'])),
  }
  const cwd = join(directory, name)
  mkdirSync(join(cwd, 'data'), { recursive: true })
  await output(IDP_BINARY, ['migrate'], { cwd, env })
  await output(IDP_BINARY, ['demo', '--output', 'data/demo.json'], { cwd, env })
  // Of the same kind as the peer's: it belongs to the operator, so nobody is asked for consent.
  await output(IDP_BINARY, [
    'client', 'create', '--tenant', 'demo', '--name', 'Benchmark', '--type', 'public', '--client-id', CLIENT, '--redirect-uri',
    REDIRECT_URI, '--scope', `${SCOPE} roles`, '--first-party',
  ], { cwd, env })
  await output(API_BINARY, ['migrate'], { cwd, env })
  const demo = JSON.parse(readFileSync(join(cwd, 'data/demo.json'), 'utf8'))
  const target = {
    issuer: demo.issuer, client_id: CLIENT, redirect_uri: REDIRECT_URI, scope: SCOPE, users: demo.users, machine: demo.clients.machine,
  }
  return { idpPort, apiPort, cwd, env, demo, target }
}

async function tenantry() {
  const { idpPort, apiPort, cwd, env, demo, target } = await services('tenantry')

  const idp = await startMeasured(() => start(IDP_BINARY, ['serve'], { port: idpPort, cwd, env }))
  const api = await startMeasured(() => start(API_BINARY, ['serve'], { port: apiPort, cwd, env }))
  const idle = { idp: idp.server.memory(), api: api.server.memory() }
  const { figures, after_tokens } = await provider(target, 'tenantry', idp.server)

  const metadata = await (await fetch(`${demo.issuer}/.well-known/openid-configuration`)).json()
  const answer = await (await fetch(metadata.token_endpoint, {
    method: 'POST', headers: { authorization: basic(demo.clients.machine) },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: demo.clients.machine.scope }),
  })).json()
  const url = `http://127.0.0.1:${apiPort}/api/v1/me`
  const authorization = `Bearer ${answer.access_token}`
  const check = await fetch(url, { headers: { authorization } })
  if (check.status !== 200) throw new Error(`GET /api/v1/me: ${check.status} ${await check.text()}`)
  say('tenantry: GET /api/v1/me')
  figures.me = await wrk(url, { METHOD: 'GET', AUTHORIZATION: authorization })

  const result = {
    figures,
    idp: { startup_ms: idp.startup_ms, idle: idle.idp, after_tokens, loaded: idp.server.memory() },
    api: { startup_ms: api.startup_ms, idle: idle.api, loaded: api.server.memory() },
  }
  await api.server.stop()
  await idp.server.stop()
  return result
}

async function peer() {
  const port = (out) => out.match(/"issuer":"http:\/\/127\.0\.0\.1:(\d+)"/)?.[1]
  const env = { PATH: process.env.PATH, NODE_ENV: 'production' }
  const { server, startup_ms } = await startMeasured(() => start(PEER_NODE, [join(here, 'peer/server.mjs')], { port, env }))
  const given = JSON.parse(server.output.split('\n')[0])
  const idle = server.memory()
  const { figures, after_tokens } = await provider({
    issuer: given.issuer, client_id: given.clients.public.client_id, redirect_uri: given.clients.public.redirect_uris[0],
    scope: 'openid offline_access tenant_settings.read', resource: given.api, users: given.users, machine: given.clients.machine,
  }, 'node-oidc-provider', server)
  const result = { figures, startup_ms, idle, after_tokens, loaded: server.memory() }
  await server.stop()
  result.node = (await output(PEER_NODE, ['--version'])).trim()
  result.version = JSON.parse(readFileSync(join(here, 'peer/node_modules/oidc-provider/package.json'), 'utf8')).version
  return result
}

async function limits() {
  say('limits: argon2')
  const argon2 = await json(join(EXAMPLES, 'limits'), ['argon2', String(Math.min(seconds, 5))])
  say('limits: bare actix handler')
  const port = await freePort()
  const bare = await start(join(EXAMPLES, 'limits'), ['serve', String(port)], { port })
  const handler = await wrk(`http://127.0.0.1:${port}/`)
  await bare.stop()
  say('limits: signatures')
  const signatures = await json(join(EXAMPLES, 'rates'), ['2', '1'])
  return { argon2, handler, signatures }
}

/** The same routes with and without a guard, in one process, asked by somebody whose roles and policies are looked at. */
async function guards() {
  const { idpPort, apiPort, cwd, env, target } = await services('guards')
  const idp = await start(IDP_BINARY, ['serve'], { port: idpPort, cwd, env })
  const api = await start(join(EXAMPLES, 'measure'), ['guarded'], { port: apiPort, cwd, env })
  const file = join(cwd, 'target.json')
  // The API learns by the token which roles somebody has who was never there.
  writeFileSync(file, JSON.stringify({ ...target, scope: `${SCOPE} roles` }), { mode: 0o600 })
  const tokens = await json(join(EXAMPLES, 'load'), ['token', file])
  const authorization = `Bearer ${tokens.access_token}`
  const at = (path) => `http://127.0.0.1:${apiPort}/api/v1${path}`
  for (let number = 0; number < GUARD_POLICIES; number += 1) {
    const answer = await fetch(at('/policies'), {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({
        name: `benchmark ${number}`,
        target: { resource: 'account', action: 'read' },
        rules: { effect: 'deny', conditions: [{ 'user.role': `Nobody${number}` }] },
      }),
    })
    if (answer.status !== 201) throw new Error(`POST /policies: ${answer.status} ${await answer.text()}`)
  }
  const figures = {}
  // In turns, so that what the machine does besides is in all of them.
  const routes = {
    open: '', known: '', guarded: '', open_row: '/row?slug=demo', guarded_row: '/row?slug=demo',
    open_page: '/page?slug=demo', guarded_page: '/page?slug=demo',
  }
  for (let round = 0; round < GUARD_ROUNDS; round += 1) {
    for (const [name, query] of Object.entries(routes)) {
      const url = at(`/benchmark/${name.split('_')[0]}${query}`)
      const request = { METHOD: 'GET', AUTHORIZATION: authorization }
      const check = await fetch(url, { headers: { authorization } })
      if (check.status !== 200) throw new Error(`GET ${url}: ${check.status} ${await check.text()}`)
      say(`guards: ${name}, ${round + 1} of ${GUARD_ROUNDS}`)
      const [alone, many] = [await wrk(url, request, 1), await wrk(url, request)]
      if (alone.errors + many.errors > 0) throw new Error(`GET ${url}: ${alone.errors + many.errors} requests failed`)
      figures[name] = [...figures[name] || [], { alone_ms: alone.p50_ms, per_second: many.per_second }]
    }
  }
  await api.stop()
  await idp.stop()
  const median = (list) => list.sort((one, other) => one - other)[Math.floor(list.length / 2)]
  const medians = (list) => Object.fromEntries(['alone_ms', 'per_second'].map((key) => [key, median(list.map((one) => one[key]))]))
  return { policies: GUARD_POLICIES, routes: Object.fromEntries(Object.entries(figures).map(([name, list]) => [name, medians(list)])) }
}

/** What `measure` says of a million rows on each database, a new one of its own. */
async function ofAMillion(what) {
  say(`${what}: a million rows, SQLite`)
  const results = { SQLite: await json(join(EXAMPLES, 'measure'), [what, '1000000']) }
  if (MARIADB_URL) {
    const { hostname, port } = new URL(MARIADB_URL)
    await output('mariadb', ['--no-defaults', '-u', 'root', '-h', hostname, '-P', port, '-e', `CREATE DATABASE bench_${what}`])
    say(`${what}: a million rows, MariaDB`)
    results.MariaDB = await json(join(EXAMPLES, 'measure'), [what, '1000000', `${MARIADB_URL}/bench_${what}`])
  }
  return results
}

/** A page of a list of a million people, by policies and by hand. */
const lists = () => ofAMillion('lists')

/** A trail of a million entries: sealed, and verified from the beginning. */
const audit = () => ofAMillion('audit')

process.on('exit', stopAll)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

const only = { peer, limits, tenantry, guards, lists, audit }[BENCH_ONLY]
if (only) {
  console.log(JSON.stringify(await only(), null, 2))
} else {
  const policies = JSON.parse(readFileSync(POLICIES, 'utf8'))
  const results = {
    policies,
    seconds,
    connections: CONNECTIONS,
    limits: await limits(),
    tenantry: await tenantry(),
    peer: await peer(),
    guards: await guards(),
    lists: await lists(),
    audit: await audit(),
  }
  writeFileSync(process.argv[2], await report(results))
  say(`written: ${process.argv[2]}`)
}
