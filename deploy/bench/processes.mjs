// Starting, measuring and ending the processes of a benchmark run.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const running = new Set()

/** A port that was free a moment ago. */
export async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Runs a program to its end and gives what it printed. */
export function output(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    let out = ''
    let err = ''
    running.add(child)
    child.stdout.on('data', (chunk) => { out += chunk })
    child.stderr.on('data', (chunk) => { err += chunk })
    child.on('error', reject)
    child.on('close', (code) => {
      running.delete(child)
      if (code === 0) resolve(out)
      else reject(new Error(`${program.split('/').pop()} ${args.join(' ')} ended with ${code}: ${(err || out).slice(-800)}`))
    })
  })
}

/** The last line of a program's output that is JSON. */
export async function json(program, args, options) {
  const lines = (await output(program, args, options)).trim().split('\n').filter((line) => line.startsWith('{'))
  if (lines.length === 0) throw new Error(`${program} printed no JSON`)
  return JSON.parse(lines.at(-1))
}

function answers(port, path) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let head = ''
    socket.on('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`))
    socket.on('data', (chunk) => { head += chunk })
    socket.on('error', () => resolve(false))
    socket.on('close', () => resolve(head.startsWith('HTTP/1.1 200')))
  })
}

/** Starts a server; `startup_ms` is the time from the start of the process to the first 200 of `path`. */
export async function start(program, args, { port, path = '/readyz', ...options }) {
  const begun = performance.now()
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  running.add(child)
  let out = ''
  let last = ''
  child.stdout.on('data', (chunk) => { out = (out + chunk).slice(0, 10_000); last = String(chunk) })
  child.stderr.on('data', (chunk) => { last = String(chunk) })
  let ended = false
  child.on('error', (error) => { ended = true; last = String(error) })
  child.on('exit', () => { ended = true; running.delete(child) })
  for (;;) {
    if (ended || performance.now() - begun > 30_000) throw new Error(`${program} does not answer ${path}: ${last}`)
    const known = typeof port === 'function' ? port(out) : port
    if (known && await answers(known, path)) break
    await sleep(1)
  }
  const startup_ms = performance.now() - begun
  return {
    startup_ms,
    get output() { return out },
    /** Resident memory now and at its highest, in MB (1,000,000 bytes). */
    memory() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      const kib = (name) => Number(status.match(new RegExp(`${name}:\\s+(\\d+)`))[1])
      return { resident_mb: kib('VmRSS') * 1.024 / 1000, highest_mb: kib('VmHWM') * 1.024 / 1000 }
    },
    async stop() {
      if (ended) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      const kill = setTimeout(() => child.kill('SIGKILL'), 35_000)
      await gone
      clearTimeout(kill)
    },
  }
}

/** Ends what is still there, for a run that failed. */
export function stopAll() {
  for (const child of running) child.kill('SIGKILL')
}
