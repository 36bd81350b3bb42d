/* JSON as text: where its members stand, what is wrong with it, how it is coloured, how two of them differ.
 *
 *   const { value, error, place } = scan(source);
 *   place("/rules/conditions/0")              { line, start, end } of a member, or of what it would be in
 *   error                                     { line, start, message }, or null when it is JSON
 *   colours(line)                             [[kind, text], …] of one line
 *   differences(before, after)                [{ kind: "same" | "gone" | "new", text }, …] by lines
 *   documentOf(policy)                        what somebody writes of a policy; print(value) as text
 */

import { text, fill } from "./text-policies.js";

/* What of a policy is written in an editor; the switch is one of its own. */
export function documentOf({ name, description, target, rules, priority }) {
  return {
    name,
    ...(description && { description }),
    target: { resource: target?.resource, action: target?.action },
    rules: { effect: rules?.effect, conditions: rules?.conditions ?? [] },
    ...(priority ? { priority } : {}),
  };
}

export const print = (value) => JSON.stringify(value, null, 2);

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;
const DEEPEST = 128;

/* Reads a text member by member, up to the first thing that is no JSON. */
export function scan(source) {
  const places = new Map();
  let at = 0;
  let error = null;
  let value;
  try {
    member("", 0, 0);
    if (at < source.length) wrong(text.json.afterEnd);
    value = JSON.parse(source);
  } catch (why) {
    if (!(why instanceof Wrong)) throw why;
    error = { message: why.message, start: why.at, line: lineOf(source, why.at) };
  }
  return { value, error, place };

  function place(pointer) {
    for (let path = pointer; ; path = path.slice(0, path.lastIndexOf("/"))) {
      const found = places.get(path);
      if (found) return { ...found, line: lineOf(source, found.from), isExact: path === pointer };
      if (path === "") return { from: 0, start: 0, end: 0, line: 0, isExact: false };
    }
  }

  function member(pointer, from, depth) {
    space();
    if (depth > DEEPEST) wrong(text.json.tooDeep);
    const start = at;
    places.set(pointer, { from: from || start, start, end: start });
    const first = source[at];
    if (first === "{") object(pointer, depth);
    else if (first === "[") array(pointer, depth);
    else if (!(take(STRING) ?? take(NUMBER) ?? take(WORD))) wrong(first === '"' ? text.json.badString : text.json.noValue);
    places.get(pointer).end = at;
    space();
  }

  function object(pointer, depth) {
    const names = new Set();
    at += 1;
    space();
    if (accept("}")) return;
    do {
      space();
      const from = at;
      const name = take(STRING);
      if (!name && source[at] === "}") missing(text.json.comma);
      if (!name) wrong(source[at] === '"' ? text.json.badString : text.json.noName);
      const own = JSON.parse(name);
      if (names.has(own)) wrong(fill(text.json.twice, { name: own }), from);
      names.add(own);
      space();
      if (!accept(":")) missing(text.json.noColon);
      member(`${pointer}/${own.replaceAll("~", "~0").replaceAll("/", "~1")}`, from, depth + 1);
    } while (accept(","));
    if (!accept("}")) missing(text.json.objectEnd);
  }

  function array(pointer, depth) {
    let index = 0;
    at += 1;
    space();
    if (accept("]")) return;
    do {
      space();
      if (index > 0 && source[at] === "]") missing(text.json.comma);
      member(`${pointer}/${index}`, 0, depth + 1);
      index += 1;
    } while (accept(","));
    if (!accept("]")) missing(text.json.arrayEnd);
  }

  function space() {
    take(SPACE);
  }

  function accept(mark) {
    if (source[at] !== mark) return false;
    at += 1;
    return true;
  }

  function take(expression) {
    expression.lastIndex = at;
    const found = expression.exec(source)?.[0];
    if (found) at += found.length;
    return found || null;
  }

  function wrong(message, where = at) {
    throw new Wrong(message, where);
  }

  /* What is missing is missing behind what was there last. */
  function missing(message) {
    throw new Wrong(message, source.slice(0, at).trimEnd().length);
  }
}

class Wrong extends Error {
  constructor(message, at) {
    super(message);
    this.at = at;
  }
}

/* The lines of a text are counted from 0. */
export function lineOf(source, at) {
  let line = 0;
  for (let next = source.indexOf("\n"); next !== -1 && next < at; next = source.indexOf("\n", next + 1)) line += 1;
  return line;
}

const TOKEN = /"(?:[^"\\]|\\.)*"?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b|[{}[\],:]|\s+|[^\s"{}[\],:]+/g;
const EXPRESSION = /^"(?:[=!<>]|(?:in|one_of|between|starts_with|ends_with|contains|exists|not)\b)/;

export function colours(line) {
  const tokens = line.match(TOKEN) ?? [];
  return tokens.map((token, index) => {
    if (token[0] === '"') {
      const next = tokens.slice(index + 1).find((other) => other.trim() !== "");
      return [next === ":" ? "name" : EXPRESSION.test(token) ? "expression" : "text", token];
    }
    if (/^(?:-?\d|true|false|null)/.test(token)) return ["value", token];
    return [/^[{}[\],:]$/.test(token) ? "mark" : "plain", token];
  });
}

/* The longest common lines stay; what is before and after them is not looked at twice. */
export function differences(before, after) {
  const [old, now] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const [left, right] = [old.slice(head, old.length - tail), now.slice(head, now.length - tail)];
  const same = (line) => ({ kind: "same", text: line });
  return [...old.slice(0, head).map(same), ...middle(left, right), ...old.slice(old.length - tail).map(same)];
}

function middle(left, right) {
  const gone = (line) => ({ kind: "gone", text: line });
  const fresh = (line) => ({ kind: "new", text: line });
  // More than this is shown as all gone and all new.
  if (left.length * right.length > 4_000_000) return [...left.map(gone), ...right.map(fresh)];
  const width = right.length + 1;
  const longest = new Uint32Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] = left[i] === right[j] ? longest[(i + 1) * width + j + 1] + 1 : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      lines.push({ kind: "same", text: left[i] });
      [i, j] = [i + 1, j + 1];
    } else if (j >= right.length || (i < left.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      lines.push(gone(left[i]));
      i += 1;
    } else {
      lines.push(fresh(right[j]));
      j += 1;
    }
  }
  return lines;
}
