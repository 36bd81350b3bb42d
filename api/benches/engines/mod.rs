//! The same rules and requests for three engines.

mod casbin;
mod cedar;
mod tenantry;

pub use casbin::Casbin;
pub use cedar::Cedar;
pub use tenantry::Tenantry;

pub const RESOURCES: usize = 20;
pub const ACTIONS: [&str; 5] = ["read", "create", "update", "cancel", "refund"];
/// Now, in seconds since 1970.
pub const NOW: i64 = 1_780_000_000;
pub const DAY: i64 = 86_400;

/// An engine that knows the rules and has the requests in its own form.
pub trait Engine {
    fn name(&self) -> &'static str;
    /// What it decides on a request.
    fn allows(&self, request: usize) -> bool;
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    pub name: String,
    pub resource: String,
    pub action: &'static str,
    pub allows: bool,
    pub when: When,
}

/// When a rule counts.
#[derive(Debug, Clone)]
pub enum When {
    /// The caller owns the resource, and fewer than this many guests come.
    Owner { guests: i64 },
    /// The caller has the first role and there is a day left; or the second, and at most this many guests come.
    Roles { early: String, small: String, guests: i64 },
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    pub user: String,
    pub roles: Vec<String>,
    pub resource: String,
    pub action: &'static str,
    pub owner: String,
    pub guests: i64,
    pub scheduled_time: i64,
}

pub fn rules(count: usize) -> Vec<Rule> {
    let rule = |at: usize| {
        let guests = 2 + i64::try_from(at % 7).unwrap();
        Rule {
            name: format!("policy {at}"),
            resource: format!("resource_{}", at % RESOURCES),
            action: ACTIONS[(at / RESOURCES) % ACTIONS.len()],
            allows: at % 10 != 9,
            when: if at % 10 == 4 {
                When::Owner { guests }
            } else {
                When::Roles { early: format!("Early{at}"), small: format!("Small{at}"), guests }
            },
        }
    };
    (0..count).map(rule).collect()
}

/// One for every policy of the first hundred, as far as there are so many.
pub fn requests(count: usize) -> Vec<Request> {
    let request = |at: usize| {
        let role = match at % 3 {
            0 => format!("Early{at}"),
            1 => format!("Small{at}"),
            _ => "Guest".to_owned(),
        };
        Request {
            user: format!("0190b2c4-0000-7000-8000-{at:012}"),
            roles: vec!["Customer".to_owned(), role, "Member".to_owned()],
            resource: format!("resource_{}", at % RESOURCES),
            action: ACTIONS[(at / RESOURCES) % ACTIONS.len()],
            owner: format!("0190b2c4-0000-7000-8000-{:012}", if at % 20 == 4 { at } else { 0 }),
            guests: 2,
            scheduled_time: NOW + DAY * i64::try_from(at % 4).unwrap(),
        }
    };
    (0..count.min(100)).map(request).collect()
}
