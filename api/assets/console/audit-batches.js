/* The chain in which the audit trail is sealed: its signed headers, and the keys that have signed them. */

import { get } from "./api.js";
import { auditTabs } from "./audit.js";
import { hashOf, verifyHeader } from "./audit-proof.js";
import { h, clear } from "./dom.js";
import { asideTime, badge, button, copyable, none, page, panel } from "./parts.js";
import { attempt } from "./status.js";
import { makeList } from "./table.js";
import { text, fill } from "./text-policies.js";

export async function show(view) {
  let shown = [];
  const places = new Map();
  const list = makeList({
    caption: text.audit.seals,
    columns: [
      { label: text.batches.batch, kind: "main", cell: (batch) => [fill(text.batches.number, { number: batch.number }), batch.pruned && [" ", badge(text.batches.pruned)]] },
      { label: text.batches.entries, cell: (batch) => fill(text.batches.range, { first: batch.first, last: batch.first + batch.size - 1, size: batch.size }) },
      { label: text.batches.sealed, cell: (batch) => h("span", {}, asideTime(batch.sealed_at)) },
      { label: text.seal.root, cell: (batch) => h("code", { class: "hash", title: batch.root }, batch.root) },
      {
        label: text.batches.state,
        cell: (batch) => {
          const place = h("span", { "data-batch": batch.number });
          places.set(batch.number, place);
          return place;
        },
      },
    ],
    key: (batch) => batch.number,
    load: async (cursor, signal) => {
      const answer = await get("/v1/audit/batches", { query: { cursor }, signal });
      shown = cursor ? [...shown, ...answer.data] : answer.data;
      return answer;
    },
    empty: text.batches.none,
    signal: view.signal,
  });
  const keyList = h("div", {});
  const result = h("p", { class: "none", id: "chain", role: "status" });

  /* Each header by itself, and each against the one before it as far as that is shown. */
  async function verify() {
    const { data } = await get("/v1/audit/keys", { signal: view.signal });
    const byNumber = new Map(shown.map((batch) => [batch.number, batch]));
    let good = 0;
    for (const batch of shown) {
      let why = null;
      try {
        const { claims } = await verifyHeader(batch.header, data.keys);
        const before = byNumber.get(batch.number - 1);
        if (claims.root !== batch.root || claims.number !== batch.number || claims.size !== batch.size || claims.first !== batch.first) why = text.seal.otherHeader;
        else if (before && claims.previous !== await hashOf(before.header)) why = text.batches.otherChain;
      } catch (error) {
        why = error.message;
      }
      good += why === null ? 1 : 0;
      clear(places.get(batch.number), badge(why === null ? text.seal.verified : text.seal.broken, why === null ? "good" : "bad"), why && h("span", { class: "aside block" }, why));
    }
    result.textContent = fill(good === shown.length ? text.batches.allGood : text.batches.someBad, { good, all: shown.length });
  }

  page(view, {
    title: text.audit.seals,
    lead: text.batches.lead,
    actions: [button(text.batches.verify, { primary: true, id: "verify-chain", on: { click: () => attempt(verify) } })],
  }, auditTabs("batches"), result, list.element, panel(text.batches.keys, h("p", { class: "hint" }, text.batches.keysLead), keyList));
  await Promise.all([
    list.reload(),
    attempt(async () => {
      const { data } = await get("/v1/audit/keys", { signal: view.signal });
      clear(keyList, data.keys.length === 0 ? none(text.batches.noKeys) : h("ul", { class: "keys" }, data.keys.map((key) =>
        h("li", {}, copyable(key.kid), " ", badge(key.alg ?? key.kty)))));
    }),
  ]);
}
