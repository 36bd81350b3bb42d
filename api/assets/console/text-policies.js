/* What the pages of policies, of the audit trail and of decisions say, beside what all pages say. */

import { fill, text as common } from "./text.js";

export { fill };

export const text = {
  ...common,
  policies: {
    title: "Policies", lead: "Rules over who, what and when. A deny beats every allow.", search: "Search by name", new: "New policy", explain: "Explain a decision",
    name: "Name", effect: "Effect", target: "About", assigned: "For", priority: "Priority", state: "State", resource: "Resource", action: "Action",
    allow: "Allow", deny: "Deny", allowed: "Allowed", denied: "Denied", on: "Enabled", off: "Disabled", everyone: "Everyone",
    none: "No policy matches. Change the filters, or write one.", oneFinding: "1 warning", findings: "{count} warnings",
    counts: { role: ["1 role", "{count} roles"], group: ["1 group", "{count} groups"], user: ["1 person", "{count} people"] },
    chooseLead: "Begin with one of these and change what is different with you. Nothing is saved yet.",
    create: "Create", created: "The policy {name} is there.", everyoneLead: "It counts for everyone from the moment it is created, until it is assigned to somebody.",
  },
  examples: {
    premium: { title: "Premium customers may cancel up to 24 hours before", lead: "A role, and a time that is calculated" },
    own: { title: "Own things only", lead: "What belongs to a thing is compared with who asks" },
    limit: { title: "Amounts up to the tenant’s limit", lead: "Money, compared with what the tenant has set for itself" },
    hours: { title: "Office hours", lead: "A time of day in a time zone, through summer and winter" },
    network: { title: "Deny from outside the network", lead: "The address that the request comes from" },
    "second-factor": { title: "Only with a second factor", lead: "How somebody has signed in" },
    empty: { title: "Something else", lead: "As little as a policy has to say" },
  },
  policy: {
    rule: "Rule", ruleUnsaved: "Rule (unsaved)", assignments: "Assignments", versions: "Versions", test: "Test",
    version: "Version {version}, changed {ago}", switchOn: "Enable", switchOff: "Disable", isOn: "{name} counts from now on.", isOff: "{name} does not count any more.",
    on: { title: "Enable {name}?", lead: "It denies from now on, and beats everything that allows.", action: "Enable" },
    off: { title: "Disable {name}?", lead: "What it denies is not denied by it any more.", action: "Disable" },
    save: "Save", saved: "Saved as version {version}.", drop: "Drop changes", tryIt: "Try it before saving",
    deleteTitle: "Delete the policy {name}?", deleteLead: "Its versions and assignments go with it. The audit trail keeps what it said.", deleted: "The policy {name} is gone.",
    changedMeanwhile: "Somebody changed it meanwhile. Here is how it is now.",
  },
  conflict: { ...common.conflict, signs: "− is what is saved now, + is what you have written.", diff: "What differs" },
  editor: {
    label: "Policy as JSON", findings: "What was found", hint: "Tab indents once you write; press Escape, then Tab, to go on. Ctrl+S saves.",
    checking: "Checking…", notJson: "This is not JSON yet.", good: "It can be saved.", oneWrong: "1 thing is wrong.", wrong: "{count} things are wrong.",
    oneWarning: "It can be saved. 1 thing is probably not meant.", warnings: "It can be saved. {count} things are probably not meant.",
    line: "Line {line}", lineSays: "Line {line}: {message}",
  },
  findings: {
    never_true: "Never true", always_true: "Always true", over: "Over", redundant_alternative: "Redundant alternative",
    redundant: "Redundant", shadowed: "Shadowed", denies_unknown: "Denies what is not known",
  },
  json: {
    afterEnd: "There is something after the end.", tooDeep: "This is nested too deeply.", badString: "This text does not end in quotes, or has something that has to be escaped.",
    noValue: "A value is missing here: a text in quotes, a number, true, false, an object or a list.", noName: "A name in quotes is missing here.", noColon: "A colon is missing here.",
    objectEnd: "A comma or } is missing here.", arrayEnd: "A comma or ] is missing here.", comma: "There is a comma too many.", twice: "{name} stands here twice.",
  },
  vocabulary: {
    title: "What it can speak of", hint: "Press one to put it into the text.", resource: "Kind of resource", every: "Every kind", find: "Find an attribute",
    actions: "Actions", useAction: "Make it about {action}", of: "Of {resource}", common: "Of every request", insert: "Insert {name}", none: "There is no such attribute.",
  },
  diff: { line: "1 line that stays", lines: "{count} lines that stay", gone: "Removed:", new: "Added:" },
  versions: {
    version: "Version", number: "Version {version}", when: "Since", who: "By", show: "Compare", back: "Roll back", now: "now", none: "There is no version.",
    title: "Version {version}", compare: "Compared with", withNow: "The version of now", withBefore: "The one before", same: "There is no difference.",
    changedThen: "What this version changed", changedSince: "What has changed since version {version}",
    backTitle: "Roll {name} back to version {version}?", backLead: "It says again what it said then, as a new version. Whether it is enabled stays as it is.",
    isBack: "It says again what version {version} said, as version {now}.",
  },
  assignments: {
    everyone: "It is assigned to nobody, so it is for everyone. With its first assignment it is not any more.", some: "It is for those here alone.",
    whom: "Whom", type: "Kind", since: "Since", none: "No assignments: for everyone.", add: "Assign", assign: "Assign", addTitle: "Assign {name}", assigned: "{policy} is for {name}.",
    types: { user: "Person", role: "Role", group: "Group" }, find: "Search by name", nothing: "There is nothing called like this.",
    take: "Take back", takeTitle: "Take it back from {name}?", takeLead: "It does not concern them any more.",
    takeLast: "This is the last assignment: without it the policy is for everyone.", taken: "It is not for {name} any more.",
  },
  test: {
    lead: "What it would do, before it does it.", simulate: "What it would have changed", simulateHint: "Decisions of the log, made again with the policies as they would be. Nothing is changed by this.",
    what: "What if", draft: "what you have written counted", on: "it was enabled", without: "it was not there", saved: "it was saved as it is",
    over: "Looked at", last: "the last {count} decisions", run: "Simulate", changed: "What would be decided otherwise",
    nothingRecorded: "No decision is in the log yet.", nothing: "None of {decided} decisions would be another one.", oneDiffers: "1 of {decided} decisions would be another one.",
    differ: "{differing} of {decided} decisions would be another one.", denied: "{count} denied", allowed: "{count} allowed",
    unreadable: "{count} more could not be decided again: what was known then is not what is known now.", more: "These are the first {shown} of {differing}.",
    who: "Who", asked: "What", before: "Before", after: "After", because: "Because of", whoFailed: "Who asked cannot be shown.",
    explain: "Explain a decision", explainSaved: "This asks what is saved; what you have written and not saved does not count here.",
  },
  explain: {
    title: "Explain a decision", lead: "The same answer that the API would give, and how it comes about.", about: "About whom", me: "Me", somebody: "Somebody of the tenant", imagined: "Somebody imagined",
    facts: "What is known of them", gone: "(not there any more)", other: "Somebody else", resource: "Resource", resourceHint: "Such as booking",
    action: "Action", actionHint: "Such as cancel", attributes: "Attributes", attributesHint: "A JSON object, such as {\"booking.status\": \"open\"}. What is not said is unknown.", ask: "Explain",
  },
  audit: {
    title: "Audit", lead: "Who did what. Nothing here can be changed, and what was is sealed.", entries: "Entries", decisions: "Decisions", seals: "Seals",
    what: "What", who: "Who", target: "To what", changes: "Changed", when: "When", action: "Action", actor: "Actor", targetKind: "Kind of thing", targetId: "Thing", request: "Request",
    from: "From", to: "Until", idHint: "Its ID", none: "Nothing of this kind was done.", nothing: "–", andMore: "{fields} and {more} more", system: "The system", actedBy: "by",
    exportCsv: "CSV", exportJson: "JSON lines",
  },
  entry: {
    changes: "What changed", about: "About it", who: "Who", actingParty: "Acted for them", actingPartyHint: "Did it in their name", client: "Through", ofTenant: "Of the tenant", target: "To what",
    address: "Address", request: "Request", allOfActor: "Everything they did", allOfTarget: "Everything done to it", allOfRequest: "Everything in this request",
    noChanges: "No field of it changed.", field: "Field", before: "Before", after: "After", whole: "All of it", notThere: "not there", masked: "Hidden, a secret", empty: "nothing", emptyText: "an empty text",
  },
  seal: {
    title: "Seal", verifying: "It is being verified…", notYet: "It is not sealed yet; that takes about a second.", sealed: "Sealed in batch {batch}, at position {position} of the chain.",
    verified: "Verified", broken: "Does not hold", partly: "Verified in part", states: { good: "Holds", bad: "Does not hold", open: "Open" },
    steps: {
      leaf: "The hash is the one of what is shown here.", root: "What was sealed has this hash: {path} more lead from it to the root of the batch.",
      signature: "The header of the batch is signed, by the key {kid}.", header: "The signed header speaks of this root and of batch {batch}.",
    },
    details: "The proof", leaf: "Hash of the entry", place: "Place", placeOf: "{index} of {size}, from 0", path: "Path", root: "Root", header: "Header",
    cannot: "It cannot be verified here: {why}", needsHttps: "the browser does this on https pages only.",
    otherLeaf: "The fields give another hash.", otherRoot: "The path leads to another root.", otherHeader: "The header says something else.", noHeader: "The header is no signed statement.",
    otherType: "What is signed is not the header of a batch.", noKey: "None of the keys is {kid}.", otherAlgorithm: "This browser cannot verify {alg}.", badSignature: "The signature is not of this key.",
  },
  batches: {
    lead: "Entries are sealed in batches: each is a Merkle tree whose root is signed, and each header names the one before it.", batch: "Batch", number: "Batch {number}", entries: "Entries",
    range: "{first} to {last} ({size})", sealed: "Sealed", state: "State", none: "Nothing is sealed yet.", pruned: "Entries removed", verify: "Verify what is shown", otherChain: "It does not follow the batch before it.",
    allGood: "All {all} batches shown hold: signed, and each follows the one before it.", someBad: "{good} of {all} batches shown hold.", keys: "Keys", keysLead: "The public keys that have signed. This browser verifies with them.",
    noKeys: "There is no key yet.",
  },
  decisions: {
    lead: "Who was allowed or refused what, and why.", decision: "Decision", subject: "Who", resourceId: "Thing", policyId: "Policy", asked: "Asked", who: "Who", why: "Why", about: "About",
    none: "Nothing of this kind was decided.", version: "{name}, version {version}", details: "Details", policy: "Policy", context: "What was known", explain: "Explain it as of now",
  },
};
