/* What things are called that the API names by their id.
 *
 *   named("user", id, signal)                 a link with the end of the id in it, and the name as soon as it is known
 *   await nameFor("role", id, signal)         the name, or null
 */

import { get } from "./api.js";
import { h } from "./dom.js";
import { may } from "./me.js";
import { nameOf } from "./parts.js";

const KINDS = {
  user: { path: "/v1/users", page: "/console/users", needs: "account.read", name: nameOf },
  account: { path: "/v1/users", page: "/console/users", needs: "account.read", name: nameOf },
  role: { path: "/v1/roles", page: "/console/roles", needs: "role.read", name: (role) => role.name },
  group: { path: "/v1/groups", page: "/console/groups", needs: "group.read", name: (group) => group.name },
  policy: { path: "/v1/policies", page: "/console/policies", needs: "policy.read", name: (policy) => policy.name },
};
/* So many are asked for at once. */
const AT_ONCE = 4;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const known = new Map();
const waiting = [];
let running = 0;

function next() {
  while (running < AT_ONCE && waiting.length > 0) {
    running += 1;
    waiting.shift()().finally(() => {
      running -= 1;
      next();
    });
  }
}

/* Does this when there is room for it. */
export function queued(task) {
  return new Promise((resolve, reject) => {
    waiting.push(() => task().then(resolve, reject));
    next();
  });
}

export function nameFor(kind, id, signal) {
  const of = KINDS[kind];
  if (!of || !may(of.needs) || !UUID.test(id)) return Promise.resolve(null);
  const key = `${kind} ${id}`;
  if (!known.has(key)) {
    const answer = queued(() => get(`${of.path}/${id}`, { signal }).then(({ data }) => of.name(data), () => null));
    known.set(key, answer);
    // What somebody did not wait for, or is called otherwise in a minute, is asked again.
    answer.then((name) => setTimeout(() => known.delete(key), name === null && signal?.aborted ? 0 : 60_000));
  }
  return known.get(key);
}

export const pageOf = (kind, id) => (KINDS[kind] && UUID.test(id) && may(KINDS[kind].needs) ? `${KINDS[kind].page}/${id}` : null);

export function named(kind, id, signal, { href = pageOf(kind, id), whole = false } = {}) {
  const isShort = !whole && UUID.test(id);
  const label = h("code", { class: isShort ? "short" : null }, isShort ? `…${id.slice(-12)}` : id);
  const element = href ? h("a", { href, title: id }, label) : h("span", { title: id }, label);
  nameFor(kind, id, signal).then((name) => name && name !== id && label.replaceWith(name));
  return element;
}
