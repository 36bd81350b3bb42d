//! Whatever is sent, the parser and the compiler give an answer: they never panic, and always end.
//!
//! The cases are made cheaply, so that there can be a million of them (`make test-extended`): JSON of every form, policies
//! that are right but for a few changes, and texts of the words and signs of the language. Some are deep, some huge, many have
//! letters that are easily mistaken. The same number always makes the same case.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// Pseudo-random numbers (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn of_case(property: u64, case: u32) -> Self {
        let mut dice = Self(property << 32 | u64::from(case));
        dice.roll();
        dice
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % bound as u64).unwrap()
    }

    /// Whether it is so once in that many cases.
    fn once_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// What the language is made of, and what looks like it.
const PIECES: &[&str] = &[
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "=",
    "=>",
    "in",
    "in [",
    "]",
    "[",
    "between",
    "and",
    "not(",
    "not",
    "(",
    ")",
    "exists",
    "contains",
    "starts_with",
    "ends_with",
    "one_of(",
    "now()",
    "user.role",
    "booking.amount",
    "booking.guests",
    "user.teams",
    "tenant.limits.x",
    "booking.",
    ".",
    "'a'",
    "'",
    "\"",
    "\\",
    "\\'",
    "0",
    "1",
    "-1",
    "1.5",
    "0.0000001",
    "1e9",
    "0x1",
    "9223372036854.775807",
    "9223372036854775808",
    "99999999999999999999999999",
    "24h",
    "1w",
    "10ms",
    "1x",
    "-0h",
    "1 EUR",
    "1.001 EUR",
    "1 XXX",
    "2026-01-31T09:30:00Z",
    "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "09:00",
    "24:00",
    "25:61",
    "Europe/Berlin",
    "UTC",
    "Mars/Phobos",
    "10.0.0.0/8",
    "10.0.0.0/33",
    "::/0",
    "::1",
    "true",
    "false",
    "null",
    "+",
    "-",
    "*",
    "/",
    "%",
    ",",
    ";",
    "#",
    "//",
    "\u{2212}",
    "\u{ff1d}",
    "\u{200b}",
    "\u{202e}",
    "\u{feff}",
    "\u{0}",
    "\u{7f}",
    "\u{e9}",
    "e\u{301}",
    "\u{130}",
    "\u{1f468}\u{200d}\u{1f469}",
    "\u{10ffff}",
    "\u{d7ff}",
    "\u{0661}",
    "\n",
    "\t",
    " ",
    "  ",
];
const KEYS: &[&str] = &[
    "name",
    "description",
    "priority",
    "target",
    "resource",
    "action",
    "rules",
    "effect",
    "conditions",
    "user.role",
    "user.id",
    "booking.amount",
    "booking.guests",
    "booking.owner",
    "booking.scheduled_time",
    "env.ip",
    "env.time",
    "id",
    "version",
    "",
    "/",
    "~",
    "~1",
    "a.b.c",
    "__proto__",
    "user.rol\u{435}",
    "\u{0}",
];
const WORDS: &[&str] =
    &["booking", "read", "cancel", "*", "allow", "deny", "Allow", "PremiumCustomer", "x", "", "b*", "booking.*"];
const NUMBERS: &[f64] = &[
    0.0,
    -0.0,
    0.5,
    1e-7,
    1.0,
    -1.0,
    1e15,
    9.007_199_254_740_993e15,
    1e300,
    -1e300,
    f64::MIN_POSITIVE,
    5e-324,
    f64::MAX,
];

fn text(dice: &mut Dice) -> String {
    if dice.once_in(4) {
        return dice.one_of(WORDS).to_owned();
    }
    let pieces = if dice.once_in(2_000) { 2_000 } else { 1 + dice.below(8) };
    let mut text = String::new();
    for _ in 0..pieces {
        if dice.once_in(6) {
            let letter = u32::try_from(dice.below(0x11_0000)).unwrap();
            text.extend(char::from_u32(letter));
        } else {
            text.push_str(dice.one_of(PIECES));
        }
        if dice.below(2) == 0 {
            text.push(' ');
        }
    }
    text
}

fn leaf(dice: &mut Dice) -> Json {
    match dice.below(12) {
        0 => Json::Null,
        1 => json!(dice.below(2) == 0),
        2 => json!(dice.one_of(NUMBERS)),
        3 => json!(i64::from_ne_bytes(dice.roll().to_ne_bytes())),
        4 => json!(dice.roll()),
        5 => json!(dice.below(10)),
        6 => json!(dice.one_of(WORDS)),
        7 => json!([]),
        8 => json!({}),
        _ => json!(text(dice)),
    }
}

/// Inside of so many lists, objects or brackets.
fn deep(dice: &mut Dice) -> Json {
    let depth = 1 + dice.below(300);
    match dice.below(3) {
        0 => (0..depth).fold(leaf(dice), |inner, _| json!([inner])),
        1 => (0..depth).fold(leaf(dice), |inner, _| json!({ "conditions": inner })),
        _ => {
            let (open, close) = dice.one_of(&[("not(", ")"), ("(", ")"), ("[", "]"), ("-", ""), ("one_of(", ")")]);
            let (open, close) = (open.repeat(depth), close.repeat(depth));
            json!(format!("{open}{}{close}", text(dice)))
        }
    }
}

fn anything(dice: &mut Dice, depth: usize) -> Json {
    if dice.once_in(200) {
        return deep(dice);
    }
    let most = if dice.once_in(4_000) { 3_000 } else { 5 };
    match dice.below(if depth == 0 { 1 } else { 4 }) {
        0 | 1 => leaf(dice),
        2 => (0..dice.below(most)).map(|_| anything(dice, depth.min(3) - 1)).collect(),
        _ => {
            let count = dice.below(most);
            let members = (0..count).map(|at| {
                let key = if at < 8 { dice.one_of(KEYS).to_owned() } else { format!("{}{at}", dice.one_of(KEYS)) };
                (key, anything(dice, depth.min(3) - 1))
            });
            Json::Object(members.collect())
        }
    }
}

/// Policies that mean something, of every operator and type.
fn right(dice: &mut Dice) -> Json {
    let conditions = [
        json!({"user.role": "PremiumCustomer", "booking.scheduled_time": "> now() + 24h"}),
        json!({"booking.guests": "between 2 and 5", "user.teams": "one_of(user.role)"}),
        json!({"booking.amount": ["<= 100.50 EUR", "> 5 EUR + 2 * 3 EUR"], "booking.owner": ["ada", "bob"]}),
        json!({"env.ip": "in 10.0.0.0/8", "env.time": "between 22:00 and 06:30 Europe/Berlin"}),
        json!({"booking.owner": "not(starts_with 'a')", "user.id": "exists"}),
        json!({"booking.guests": "in [1, 2 + 3, booking.guests / 2]", "env.device_trusted": true}),
        json!({"booking.scheduled_time": "< env.time - 90m", "booking.owner": "== user.id"}),
        json!({"env.ip": "not(in 2001:db8::/32)", "env.time": "not(between 22:00 and 06:30 Etc/GMT+1)"}),
    ];
    let alternatives: Vec<&Json> = (0..dice.below(4)).map(|_| &conditions[dice.below(conditions.len())]).collect();
    json!({
        "name": "x", "description": "y", "priority": dice.below(100),
        "target": {"resource": dice.one_of(&["booking", "*"]), "action": dice.one_of(&["read", "cancel", "*"])},
        "rules": {"effect": dice.one_of(&["allow", "deny"]), "conditions": alternatives},
    })
}

/// The same but for a little: somewhere below, something is taken away, put in, or written otherwise.
fn spoil(json: &mut Json, dice: &mut Dice) {
    match json {
        Json::Object(members) if !members.is_empty() && !dice.once_in(10) => {
            let key = members.keys().nth(dice.below(members.len())).cloned().unwrap_or_default();
            match dice.below(8) {
                0 => drop(members.remove(&key)),
                1 => drop(members.insert(dice.one_of(KEYS).to_owned(), anything(dice, 2))),
                2 => {
                    let value = members.remove(&key).unwrap_or_default();
                    members.insert(text(dice), value);
                }
                _ => spoil(members.get_mut(&key).unwrap(), dice),
            }
        }
        Json::Array(list) if !list.is_empty() && !dice.once_in(10) => {
            let at = dice.below(list.len());
            match dice.below(6) {
                0 => drop(list.remove(at)),
                1 => list.push(anything(dice, 2)),
                2 => {
                    let copies = if dice.once_in(50) { 300 } else { 2 };
                    let copy = list[at].clone();
                    list.extend(std::iter::repeat_n(copy, copies));
                }
                _ => spoil(&mut list[at], dice),
            }
        }
        Json::String(written) if !dice.once_in(5) => {
            let mut letters: Vec<char> = written.chars().collect();
            let at = dice.below(letters.len() + 1);
            match dice.below(4) {
                0 => letters.truncate(at),
                1 if at < letters.len() => drop(letters.remove(at)),
                2 => letters.extend_from_within(..at),
                _ => drop(letters.splice(at..at, dice.one_of(PIECES).chars())),
            }
            *written = letters.into_iter().collect();
        }
        other => *other = anything(dice, 3),
    }
}

fn sent(dice: &mut Dice) -> Json {
    if dice.once_in(3) {
        return anything(dice, 4);
    }
    let mut policy = right(dice);
    for _ in 0..dice.below(5) {
        spoil(&mut policy, dice);
    }
    policy
}

/// Tries a property on all cases, with all cores, and tells which one failed.
fn on_every_case(property: u64, test: impl Fn(&mut Dice) + Sync) {
    let (cases, next) = (tenantry_testing::cases(4_000), AtomicU32::new(0));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        loop {
            let case = next.fetch_add(1, Ordering::Relaxed);
            if case >= cases {
                break;
            }
            let tried = catch_unwind(AssertUnwindSafe(|| test(&mut Dice::of_case(property, case))));
            assert!(tried.is_ok(), "case {case} of {cases}");
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
}

#[test]
fn nothing_that_is_sent_makes_the_compiler_panic() {
    let (catalogue, now) = (catalogue(), NOW.parse::<UtcTime>().unwrap());
    let schema = catalogue.schema(Some("booking")).unwrap();
    let compiled = AtomicU32::new(0);
    on_every_case(1, |dice| {
        let Ok(policy) = Policy::parse(&catalogue, sent(dice)) else { return };
        compiled.fetch_add(1, Ordering::Relaxed);
        let facts = facts_of(schema, dice);
        let findings = analyse(&PolicySet::default(), schema, &policy, &[Assignment::Everyone], now);
        assert!(findings.len() < 1_000);
        let set = PolicySet::new(vec![policy]);
        set.decide("booking", "read", &facts);
        for explanation in set.explain("booking", "read", &facts) {
            explanation.in_words();
        }
        let nowhere = Columns::default();
        let listing =
            Listing { schema, columns: &nowhere, resource: "booking", action: "read", facts: &facts, base: false };
        set.filter(&listing);
    });
    // The cases say something: many are right but for what does not matter.
    assert!(compiled.into_inner() > tenantry_testing::cases(4_000) / 20);
}

/// Some of what can be known, in extremes.
fn facts_of(schema: &Schema, dice: &mut Dice) -> Facts {
    let mut facts = Facts::at(NOW.parse().unwrap());
    let number = i64::from_ne_bytes(dice.roll().to_ne_bytes());
    for (name, value) in [
        ("user.id", Value::text("ada")),
        ("booking.owner", Value::text(&text(dice))),
        ("booking.guests", Value::Number(number)),
        ("booking.amount", Value::Money(Money { minor: number, currency: Currency::parse("EUR").unwrap() })),
        ("booking.scheduled_time", in_hours(1)),
        ("user.role", Value::set(["PremiumCustomer"])),
    ] {
        if dice.below(2) == 0 {
            facts.set(schema.slot(name).unwrap(), value);
        }
    }
    facts
}

#[test]
fn no_text_makes_the_parser_panic_and_what_is_printed_is_the_same() {
    on_every_case(2, |dice| {
        let text = match dice.below(8) {
            0 => deep(dice).to_string(),
            1 => {
                let mut policy = right(dice);
                spoil(&mut policy, dice);
                policy
                    .pointer("/rules/conditions/0/booking.guests")
                    .and_then(Json::as_str)
                    .unwrap_or("exists")
                    .to_owned()
            }
            _ => text(dice),
        };
        if let Ok(parsed) = parse_expression(&text) {
            let printed = parsed.to_string();
            let again = parse_expression(&printed).unwrap_or_else(|error| panic!("{text} → {printed}: {error}"));
            assert_eq!(again, parsed, "{text} → {printed}");
        }
    });
}
