/* Verifies, in the browser and with nothing that the server says about it, that an entry is the one that was sealed:
 * its fields give the leaf, the leaf and the path give the root (RFC 9162 §2.1.3.2), and the root stands in a header that
 * one of the keys has signed (RFC 7515).
 *
 *   const steps = await verifyEntry(source, signal);     [{ name, state: "good" | "bad" | "open", values, why }]
 *   const statement = await verifyHeader(header, keys);  what a header says; throws when nobody has signed it
 */

import { get } from "./api.js";
import { me } from "./me.js";
import { scan } from "./policy-json.js";
import { text, fill } from "./text-policies.js";

const encoder = new TextEncoder();
const TYPE = "audit-batch+jwt";

export async function verifyEntry(source, signal) {
  if (!globalThis.crypto?.subtle) throw new Error(text.seal.needsHttps);
  const entry = JSON.parse(source).data;
  const { proof } = entry;
  const steps = [];
  const note = (name, isGood, why, values) => steps.push({ name, state: isGood === null ? "open" : isGood ? "good" : "bad", why, values });

  note("leaf", await leafOf(source, entry) === proof.leaf, text.seal.otherLeaf);
  const root = await rootOf(proof);
  note("root", root === proof.root, text.seal.otherRoot, { path: proof.path.length });
  try {
    const { data: keys } = await get("/v1/audit/keys", { signal });
    const { claims, kid } = await verifyHeader(proof.header, keys.keys);
    note("signature", true, null, { kid });
    const { batch, position } = entry.sealed;
    const says = claims.root === proof.root && claims.size === proof.size && claims.number === batch && claims.first + proof.index === position && claims.tenant_id === me.tenantId;
    note("header", says, text.seal.otherHeader, { batch });
  } catch (error) {
    if (signal?.aborted) throw error;
    note("signature", error instanceof Unsupported ? null : false, error.message, { kid: "?" });
  }
  return steps;
}

class Unsupported extends Error {}

/* A header is a compact JWS by one of these keys. */
export async function verifyHeader(header, keys) {
  const parts = header.split(".");
  if (parts.length !== 3) throw new Error(text.seal.noHeader);
  const [protectedHeader, payload, signature] = parts;
  const { alg, kid, typ } = JSON.parse(new TextDecoder().decode(bytes(protectedHeader)));
  if (typ !== TYPE) throw new Error(text.seal.otherType);
  const jwk = keys.find((key) => key.kid === kid);
  if (!jwk) throw new Error(fill(text.seal.noKey, { kid: String(kid) }));
  const kinds = {
    ES256: [{ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }],
    ES384: [{ name: "ECDSA", namedCurve: "P-384" }, { name: "ECDSA", hash: "SHA-384" }],
    EdDSA: [{ name: "Ed25519" }, { name: "Ed25519" }],
    RS256: [{ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, { name: "RSASSA-PKCS1-v1_5" }],
    PS256: [{ name: "RSA-PSS", hash: "SHA-256" }, { name: "RSA-PSS", saltLength: 32 }],
  };
  // The key says what it is for; a header cannot choose another algorithm.
  const kind = kinds[alg];
  if (!kind || (jwk.alg && jwk.alg !== alg)) throw new Unsupported(fill(text.seal.otherAlgorithm, { alg: String(alg) }));
  const { kty, crv, x, y, n, e } = jwk;
  let key;
  try {
    key = await crypto.subtle.importKey("jwk", { kty, crv, x, y, n, e }, kind[0], false, ["verify"]);
  } catch {
    throw new Unsupported(fill(text.seal.otherAlgorithm, { alg }));
  }
  const isSigned = await crypto.subtle.verify(kind[1], key, bytes(signature), encoder.encode(`${protectedHeader}.${payload}`));
  if (!isSigned) throw new Error(text.seal.badSignature);
  return { claims: JSON.parse(new TextDecoder().decode(bytes(payload))), kid };
}

/* The hash of a header, as the next one names it. */
export const hashOf = async (header) => base64url(await digest(encoder.encode(header)));

async function rootOf({ leaf, index, size, path }) {
  if (index >= size) return null;
  let [at, last, root] = [index, size - 1, bytes(leaf)];
  for (const step of path) {
    if (last === 0) return null;
    const sibling = bytes(step);
    if (at % 2 === 1 || at === last) {
      root = await digest(joined([1], sibling, root));
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else {
      root = await digest(joined([1], root, sibling));
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 ? base64url(root) : null;
}

/* The leaf: SHA-256 over 0x00, the number of the encoding, and of each column whether it is there, its length and its text.
 * What changed is sealed as it was written, so it is taken as it was sent, letter by letter. */
async function leafOf(source, entry) {
  const { start, end } = scan(source).place("/data/changes");
  const changes = typeof entry.changes === "string" ? entry.changes : source.slice(start, end);
  const { actor, target } = entry;
  const columns = [
    entry.id, me.tenantId, micros(entry.occurred_at), actor.kind, actor.id, actor.tenant_id, actor.client_id,
    actor.acting_party?.kind, actor.acting_party?.id, entry.action, target.kind, target.id, changes, entry.address, entry.request_id,
  ].map((column) => {
    if (column === undefined || column === null) return [0];
    const own = encoder.encode(column);
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, own.length);
    return joined([1], length, own);
  });
  return base64url(await digest(joined([0], [1], ...columns)));
}

/* Microseconds since 1970, of which a `Date` knows only thousands. */
function micros(iso) {
  const [, whole, fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(iso);
  return String(BigInt(Date.parse(`${whole}Z`)) * 1000n + BigInt(fraction.padEnd(6, "0").slice(0, 6)));
}

async function digest(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function bytes(encoded) {
  return Uint8Array.from(atob(encoded.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
}

function base64url(data) {
  return btoa(String.fromCharCode(...data)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
