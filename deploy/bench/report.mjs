// docs/benchmarks.md from the results of a run.
import { readFileSync } from 'node:fs'
import os from 'node:os'
import { output } from './processes.mjs'

const thousands = (value, digits = 0) => value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
const rate = (value) => thousands(value, value < 1000 ? 1 : 0)
const milliseconds = (value) => `${thousands(value, value < 10 ? 2 : 0)} ms`
const megabytes = (value) => `${thousands(value)} MB`
const times = (value) => `${thousands(value, value < 10 ? 1 : 0)} ×`
const hundredths = (value) => `${thousands(value, 2)} ×`
const percent = (value) => `${thousands(value * 100)} %`
const met = (condition) => (condition ? 'yes' : '**no**')
const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

async function machine() {
  const system = readFileSync('/etc/os-release', 'utf8').match(/^PRETTY_NAME="?([^"\n]+)/m)[1]
  const rust = (await output('rustc', ['--version'])).trim().split(' ')[1]
  const cpus = os.cpus()
  return [
    `${cpus.length} cores (${cpus[0].model.trim()}), ${thousands(os.totalmem() / 1e9)} GB of memory`,
    `${system}, Linux ${os.release().split('-')[0]}, ${os.arch()}`,
    `Rust ${rust}, release profile`,
  ]
}

/** One row for each algorithm of the signature benchmark. */
const signatureRows = ({ sign_per_second: signed, verify_per_second: verified }) => Object.keys(signed).flatMap((algorithm) => [
  [`${algorithm} signatures over 600 bytes, one thread`, `${rate(signed[algorithm])}/s`],
  [`${algorithm} verifications with all checks, one thread`, `${rate(verified[algorithm])}/s`],
])

const nanoseconds = (value) => (value < 10_000 ? `${thousands(value)} ns` : `${thousands(value / 1000)} µs`)

/** One row for each engine and number of policies of the policy benchmark. */
const decisionRows = (policies) => policies.map(({ policies: count, engine, median_ns, p99_ns, per_second, ratio }) => [
  thousands(count), engine, nanoseconds(median_ns), nanoseconds(p99_ns), `${rate(per_second)}/s`, times(ratio),
])

export async function report({ seconds, connections, limits, tenantry, peer, guards, lists, audit, policies }) {
  const ours = tenantry.figures
  const theirs = peer.figures
  const bare = limits.handler.per_second
  const argon2 = limits.argon2.threads_2

  const work = [
    ['client credentials: an ES256 `at+jwt`, `client_secret_basic`', 'client_credentials', bare, 'bare handler'],
    ['refresh: rotation, new access token', 'refresh', bare, 'bare handler'],
    ['code flow: authorization request with a session, code exchange', 'code_flow', bare / 2, 'bare handler, two requests'],
    ['password sign-in: empty browser to code', 'sign_in', argon2, 'argon2id, two threads'],
    ['`GET /api/v1/me` at the API', 'me', bare, 'bare handler'],
  ]
  const errors = [...Object.entries(ours), ...Object.entries(theirs)].filter(([, figure]) => figure.errors > 0)

  // What node-oidc-provider reached on a machine of this size when the goal was set, on one busy core.
  const peerAtFirst = 2_170
  const decided = (engine) => policies.find((one) => one.policies === 50 && one.engine.startsWith(engine))
  const asked = Object.entries(lists).flatMap(([database, { questions }]) => questions.map((one) => ({ database, ...one })))
  const slowestList = asked.reduce((one, other) => (other.ratio > one.ratio ? other : one))
  const slowestAudit = Math.max(...Object.values(audit).map((one) => one.verify_seconds))
  const {
    open, known, guarded, open_row: openRow, guarded_row: guardedRow, open_page: openPage, guarded_page: guardedPage,
  } = guards.routes
  const slower = (one, beside) => one.alone_ms / beside.alone_ms
  const fewer = (one, beside) => beside.per_second / one.per_second
  const [rowSlower, rowFewer] = [slower(guardedRow, openRow), fewer(guardedRow, openRow)]
  const [pageSlower, pageFewer] = [slower(guardedPage, openPage), fewer(guardedPage, openPage)]
  const goals = [
    ['a decision over 50 policies in less than half a microsecond', nanoseconds(decided('tenantry').median_ns), decided('tenantry').median_ns < 500],
    ['at least ten times as fast as Cedar in the same run', times(decided('cedar').ratio), decided('cedar').ratio >= 10],
    [`client credentials a second, at least 10 × the ${peerAtFirst.toLocaleString('en')}/s that node-oidc-provider had when the goal was set`,
      `${times(ours.client_credentials.per_second / peerAtFirst)}`, ours.client_credentials.per_second >= 10 * peerAtFirst],
    ['the same, beside node-oidc-provider in this run', `${times(ours.client_credentials.per_second / theirs.client_credentials.per_second)}`,
      ours.client_credentials.per_second >= 10 * theirs.client_credentials.per_second],
    ['their 99th percentile under 5 ms', milliseconds(ours.client_credentials.p99_ms), ours.client_credentials.p99_ms < 5],
    ['resident memory of the identity provider after client credentials, under 40 MB', megabytes(tenantry.idp.after_tokens.resident_mb),
      tenantry.idp.after_tokens.resident_mb < 40],
    ['start-up under 300 ms', milliseconds(tenantry.idp.startup_ms), tenantry.idp.startup_ms < 300],
    ['password sign-ins at 90 % of raw argon2id or more', percent(ours.sign_in.per_second / argon2), ours.sign_in.per_second >= 0.9 * argon2],
    ['a guarded `GET` of a page takes at most 1.3 times as long as the same unguarded', hundredths(pageSlower), pageSlower <= 1.3],
    ['the same for all that it costs, when as many are asked for as the machine can answer', hundredths(pageFewer), pageFewer <= 1.3],
    ['a guarded `GET` of one row takes at most 1.3 times as long as the same unguarded', hundredths(rowSlower), rowSlower <= 1.3],
    ['the same for all that it costs, when as many are asked for as the machine can answer', hundredths(rowFewer), rowFewer <= 1.3],
    ['a list by policies at most 1.2 times the query written by hand, of a million rows', `${hundredths(slowestList.ratio)} at most`, slowestList.ratio <= 1.2],
    ['a million audit entries verified in under 10 s', `${thousands(slowestAudit, 1)} s at most`, slowestAudit < 10],
  ]

  return `# Benchmarks

Made by \`make bench\` on one machine in one run; run it on yours before you compare with anything else.

${(await machine()).map((line) => `- ${line}`).join('\n')}
- one generator thread, ${connections} connections over loopback, ${seconds} seconds for each figure; generator, server and
  database share the cores
- \`tenantry-idp\` and \`tenantry-api\` on SQLite files, all workers, log level \`warn\`
- node-oidc-provider ${peer.version} on Node ${peer.node}, one process, its in-memory adapter: it writes nothing to disk, while
  Tenantry commits every session, code and refresh token

Client credentials and \`GET /api/v1/me\` are measured with wrk, what has state with \`idp/examples/load\`, the same for both providers.

## Rates

${table(
    ['work', 'Tenantry', 'median', '99 %', 'limit', 'of the limit', 'node-oidc-provider', '99 %', 'ratio'],
    work.map(([name, key, limit, limitName]) => {
      const own = ours[key]
      const other = theirs[key]
      return [
        name, `**${rate(own.per_second)}/s**`, milliseconds(own.p50_ms), milliseconds(own.p99_ms), `${rate(limit)}/s (${limitName})`,
        percent(own.per_second / limit), other ? `${rate(other.per_second)}/s` : '–', other ? milliseconds(other.p99_ms) : '–',
        other ? times(own.per_second / other.per_second) : '–',
      ]
    }),
  )}

${errors.length ? `Requests that failed: ${errors.map(([name, figure]) => `${name} ${figure.errors}`).join(', ')}.` : 'No request failed.'}

A node-oidc-provider process runs its JavaScript on one core; Tenantry uses all of them. Its sign-in page checks the same argon2id
hash in native threads.

## Limits, measured in the same run

${table(['limit', 'rate'], [
    ['bare actix-web handler', `${rate(bare)}/s`],
    ['argon2id (m = 19,456 KiB, t = 2, p = 1), one thread', `${rate(limits.argon2.threads_1)}/s`],
    ['the same, two threads', `${rate(argon2)}/s`],
    ...signatureRows(limits.signatures),
  ])}

## Decisions over policies

One decision, one thread, with the same rules and the same requests for each engine (\`api/benches/policies.rs\`). The policies are
spread over twenty kinds of resources with five actions each; nine of ten are for roles of their own, one is for owners; one of
ten denies.

${table(['policies', 'engine', 'median', '99 %', 'rate', 'time of tenantry'], decisionRows(policies))}

## What stands in front of a route

\`GET\` of the same handler in one process, with wrk, the medians of three rounds: for anybody; for any good token; for those who
may read people, decided for a person by roles and ${thousands(guards.policies)} policies of the tenant, and written to the log of
decisions, a row each. The time is that of a request when one at a time is asked for; the rate is for ${connections} connections, where
everything shares the cores: the log too, which is written after the answer.

${table(['handler', 'for', 'time', 'ratio', 'rate', 'ratio'], [
    ['answers from memory', 'anybody', open, open], ['', 'any token', known, open], ['', 'guarded', guarded, open],
    ['reads a row of the database', 'anybody', openRow, openRow], ['', 'guarded', guardedRow, openRow],
    ['reads a page of fifty rows', 'anybody', openPage, openPage], ['', 'guarded', guardedPage, openPage],
  ].map(([handler, name, one, beside]) => [
    handler, name, `${thousands(one.alone_ms, 3)} ms`, hundredths(slower(one, beside)), `${rate(one.per_second)}/s`,
    hundredths(fewer(one, beside)),
  ]))}

## Lists by policies

A page of fifty of a million people of a tenant, as the service asks for it (\`api/examples/measure/lists.rs\`): once with the condition
that the tenant's policies make, once with the same written by hand. Both find the same people. The policies are made into the
condition anew each time, as they are for each request.

${table(['page', 'database', 'by policies', 'by hand', 'ratio'], asked.map(
    ({ question, database, filtered_ms: filtered, by_hand_ms: byHand, ratio }) => [question, database, milliseconds(filtered), milliseconds(byHand), hundredths(ratio)],
  ))}

## Start-up and memory

Time from the start of the process to the first 200 of \`/readyz\`, median of five starts; resident memory after start, after the client
credentials, and after all of the above. Every password that is being checked takes 20 MB for as long.

${table(['process', 'start-up', 'started', 'after client credentials', 'after everything', 'highest'], [
    ['tenantry-idp', tenantry.idp], ['tenantry-api', tenantry.api], ['node-oidc-provider', peer],
  ].map(([name, one]) => [
    name, milliseconds(one.startup_ms), megabytes(one.idle.resident_mb), one.after_tokens ? megabytes(one.after_tokens.resident_mb) : '–',
    megabytes(one.loaded.resident_mb), megabytes(one.loaded.highest_mb),
  ]))}

## Audit trail

One tenant's trail, each entry computed again from its fields and the ones before, with ${thousands(Object.values(audit)[0].batches)} signatures.

${table(['work', 'database', 'entries', 'time', 'rate'], Object.entries(audit).flatMap(([database, one]) => [
    ['sealing', one.seal_seconds], ['`audit verify`', one.verify_seconds],
  ].map(([name, time]) => [name, database, thousands(one.entries), `${thousands(time, 1)} s`, `${rate(one.entries / time)}/s`])))}

## Goals

${table(['goal', 'measured', 'met'], goals.map(([goal, measured, condition]) => [goal, measured, met(condition)]))}
`
}
