/* The API, asked in the name of who is signed in: the server of the console puts their token in.
 *
 *   const { data, page } = await get("/v1/users", { query: { search }, signal });
 *   const { data, etag } = await get(`/v1/users/${id}`, { signal });
 *   await send("PATCH", `/v1/users/${id}`, change, { etag });
 *   await send("POST", "/v1/users", body, { key: submission.key(body) });
 *   const response = await raw("POST", "/v1/users/import", { body: file, headers: { "Content-Type": "text/csv" } });
 *
 * Whatever is not a success is thrown as a `Problem` (RFC 9457): `status`, `kind`, `title`, `detail`, `errors` (pointer,
 * code, detail), `retryAfter` (seconds), `needed` (a permission), `request` (its id). `is(error, 404)` asks for one.
 * An aborted request throws an `AbortError`, which `isAbort` knows: let it pass without a word.
 */

import { me } from "./me.js";
import { text } from "./text.js";

const BASE = "/console/api";

export class Problem extends Error {
  constructor(status, document = {}, headers = new Headers()) {
    super(document.title ?? text.problem.unknown);
    this.name = "Problem";
    this.status = status;
    this.kind = String(document.type ?? "about:blank").split("/problems/").pop();
    this.title = document.title ?? text.problem.unknown;
    this.detail = document.detail ?? "";
    this.errors = Array.isArray(document.errors) ? document.errors : [];
    this.request = document.instance ?? headers.get("x-request-id") ?? "";
    this.retryAfter = seconds(headers.get("retry-after"));
    this.challenge = headers.get("www-authenticate") ?? "";
    this.needed = needed(this);
  }
}

export const is = (error, status) => error instanceof Problem && error.status === status;
export const isAbort = (error) => error?.name === "AbortError";

function seconds(text) {
  const value = Number.parseInt(text ?? "", 10);
  return Number.isFinite(value) && value >= 0 ? value : null;
}

/* The permission that a refusal is about: the scope of the challenge (RFC 6750 §3), or what `detail` names. */
function needed({ status, challenge, detail }) {
  if (status !== 403) return null;
  const scope = /scope="([a-z_.*]+)"/.exec(challenge)?.[1];
  return scope ?? /\b([a-z_]+\.[a-z_]+)\b/.exec(detail)?.[1] ?? null;
}

let sessionEnded = () => location.reload();
/* What is done when nobody is signed in any more; the start page sets it. */
export function onSessionEnd(listener) {
  sessionEnded = listener;
}

let stepUp = null;
/* What is done when a stronger or newer sign-in is asked for (RFC 9470). */
export function onStepUp(listener) {
  stepUp = listener;
}

function address(path, query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined && value !== "") parameters.append(name, value);
  }
  const text = parameters.toString();
  return `${BASE}${path}${text ? `?${text}` : ""}`;
}

/* An answer that is a success, as it comes. */
export async function raw(method, path, { query, headers = {}, body, signal, again = true } = {}) {
  let response;
  try {
    response = await fetch(address(path, query), {
      method,
      headers: { Accept: "application/json", "X-CSRF-Token": me.csrf, ...headers },
      body,
      signal,
      credentials: "same-origin",
      redirect: "error",
      cache: "no-store",
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Problem(0, { title: text.problem.offline, detail: text.problem.offlineDetail });
  }
  if (response.ok) return response;
  const problem = new Problem(response.status, await document_(response), response.headers);
  if (problem.status === 401) {
    if (problem.challenge.includes("insufficient_user_authentication")) {
      stepUp?.(problem);
    } else if (problem.kind === "session-ended") {
      sessionEnded();
    } else if (again && !(body instanceof ReadableStream)) {
      // The token was taken back on the way; the next request has another one, or there is no session any more.
      return raw(method, path, { query, headers, body, signal, again: false });
    } else {
      sessionEnded();
    }
  }
  throw problem;
}

async function document_(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}

async function envelope(response) {
  if (response.status === 204) return { data: null, page: {}, etag: null, status: 204 };
  const whole = await response.json();
  return {
    data: whole.data ?? whole,
    page: whole.page ?? {},
    etag: response.headers.get("etag"),
    status: response.status,
    location: response.headers.get("location"),
  };
}

export async function get(path, { query, signal } = {}) {
  return envelope(await raw("GET", path, { query, signal }));
}

export async function send(method, path, body, { etag, key, query, signal } = {}) {
  const headers = {};
  if (body !== undefined && body !== null) headers["Content-Type"] = "application/json";
  if (etag) headers["If-Match"] = etag;
  if (key) headers["Idempotency-Key"] = key;
  const text = body === undefined || body === null ? undefined : JSON.stringify(body);
  return envelope(await raw(method, path, { query, headers, body: text, signal }));
}

/* Every page of a list, up to `most` items: for what a choice is made from. */
export async function all(path, { query = {}, signal, most = 1000 } = {}) {
  const items = [];
  let cursor;
  do {
    const { data, page } = await get(path, { query: { limit: 200, ...query, cursor }, signal });
    items.push(...data);
    cursor = page.next;
  } while (cursor && items.length < most);
  return items;
}

/* Names a request, so that a repeat of it counts once: the same key as long as the same thing is asked for. */
export class Submission {
  #key = crypto.randomUUID();
  #body = null;

  key(body) {
    const text = JSON.stringify(body ?? null);
    if (this.#body !== null && this.#body !== text) this.#key = crypto.randomUUID();
    this.#body = text;
    return this.#key;
  }

  /* What was asked for is there: the next time is another one. */
  done() {
    this.#key = crypto.randomUUID();
    this.#body = null;
  }
}

/* Saves what a request answers with as a file of this name. */
export async function download(path, { query, name }) {
  const response = await raw("GET", path, { query, headers: { Accept: "*/*" } });
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
