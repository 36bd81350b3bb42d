//! Which attributes there are, and of what type.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::value::Type;

/// The attributes that conditions about one resource may name: those of the caller and the surroundings, and the
/// resource's own. Each has a slot, where its value stands when a decision is made. The common ones have the same slots in
/// every schema.
#[derive(Debug, Clone)]
pub struct Schema {
    by_name: BTreeMap<Arc<str>, Slot>,
    attributes: Vec<Attribute>,
    first_of_resource: usize,
}

/// Where the value of an attribute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

/// An attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// As conditions name it: `booking.scheduled_time`.
    pub name: Arc<str>,
    /// Of what type its values are.
    pub r#type: Type,
    /// What it means, for people who write policies.
    pub meaning: Arc<str>,
}

/// What is known of every caller and every request.
const COMMON: &[(&str, Type, &str)] = &[
    ("user.id", Type::Text, "the id of the person; a client has none"),
    ("user.role", Type::Set, "the roles of the person in this tenant"),
    ("user.teams", Type::Set, "the groups of the person in this tenant"),
    ("client.id", Type::Text, "the client that calls"),
    ("tenant.id", Type::Text, "the id of the tenant"),
    ("tenant.slug", Type::Text, "the short name of the tenant"),
    ("env.time", Type::Time, "the time of the decision"),
    ("env.ip", Type::Address, "the address that the request came from"),
    ("env.acr", Type::Text, "how strongly the person was authenticated"),
    ("env.amr", Type::Set, "by which methods the person was authenticated"),
    ("env.auth_time", Type::Time, "when the person was authenticated"),
    ("env.device_trusted", Type::Bool, "whether the person has made the device a trusted one"),
    ("user.email", Type::Text, "the e-mail address of the person"),
    ("user.email_verified", Type::Bool, "whether the address is known to be theirs"),
    ("user.status", Type::Text, "the status of the person in this tenant, such as active"),
    ("client.scopes", Type::Set, "the scopes that the client was given for this call"),
    ("tenant.status", Type::Text, "the status of the tenant, such as active"),
    ("env.actor", Type::Text, "who acts in the name of the person or client, where that is somebody else"),
];

/// Other names that conditions may say instead: for the same value.
const ALIASES: &[(&str, &str)] = &[("env.local_time", "env.time"), ("env.device.trusted", "env.device_trusted")];

/// A value that a tenant has set for itself, and that its policies can speak of: `tenant.limits.auto_approve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    name: Arc<str>,
    r#type: Type,
}

/// Why something is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// The name.
    #[error("the name of a limit has 1 to 64 lower-case letters, digits and underscores and begins with a letter")]
    Name,
    /// The type.
    #[error("a limit is a number, money, a duration, a text or a bool, not a {0}")]
    Type(Type),
}

impl Limit {
    /// A limit by the name that stands behind `tenant.limits.`.
    ///
    /// # Errors
    /// A name or a type that limits do not have.
    pub fn new(name: &str, r#type: Type) -> Result<Self, LimitError> {
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_lowercase())
            || name.len() > MOST_LETTERS
            || !name.chars().all(letters)
        {
            return Err(LimitError::Name);
        }
        match r#type {
            Type::Number | Type::Money | Type::Duration | Type::Text | Type::Bool => {
                Ok(Self { name: format!("tenant.limits.{name}").into(), r#type })
            }
            Type::Time | Type::Address | Type::Set => Err(LimitError::Type(r#type)),
        }
    }

    /// The name of its attribute.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn attribute(&self) -> Attribute {
        Attribute::new(&self.name, self.r#type, "a limit that the tenant has set")
    }
}

impl Attribute {
    /// An attribute.
    pub fn new(name: &str, r#type: Type, meaning: &str) -> Self {
        Self { name: name.into(), r#type, meaning: meaning.into() }
    }
}

impl Slot {
    /// `user.id`, and the others that policies are found by: the first of the common ones.
    pub(super) const USER_ID: Self = Self(0);
    pub(super) const USER_ROLE: Self = Self(1);
    pub(super) const USER_TEAMS: Self = Self(2);
    pub(super) const CLIENT_ID: Self = Self(3);

    /// Its place in a list of values.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Schema {
    /// The common attributes, and these of a resource.
    pub fn with(of_resource: impl IntoIterator<Item = Attribute>) -> Self {
        Self::of(&[], of_resource)
    }

    /// The same attributes, and `tenant.limits.<name>` for each limit of a tenant. Conditions that were compiled with
    /// other limits do not fit this schema.
    #[must_use]
    pub fn with_limits(&self, limits: &[Limit]) -> Self {
        let of_resource = self.attributes.iter().skip(self.first_of_resource).cloned();
        Self::of(limits, of_resource)
    }

    /// Limits stand before the attributes of the resource, so that they have the same slots in every schema of a tenant.
    fn of(limits: &[Limit], of_resource: impl IntoIterator<Item = Attribute>) -> Self {
        let common = COMMON.iter().map(|(name, r#type, meaning)| Attribute::new(name, *r#type, meaning));
        let common = common.chain(limits.iter().take(MOST_LIMITS).map(Limit::attribute));
        let mut attributes: Vec<Attribute> = common.collect();
        let first_of_resource = attributes.len();
        attributes.extend(of_resource.into_iter().take(MOST_ATTRIBUTES - first_of_resource));
        let slots = (0..u16::MAX).map(Slot);
        let mut by_name: BTreeMap<Arc<str>, Slot> =
            attributes.iter().map(|attribute| Arc::clone(&attribute.name)).zip(slots).collect();
        for (alias, name) in ALIASES {
            if let Some(slot) = by_name.get(*name).copied() {
                by_name.insert((*alias).into(), slot);
            }
        }
        Self { by_name, attributes, first_of_resource }
    }

    /// The slot of an attribute.
    pub fn slot(&self, name: &str) -> Option<Slot> {
        self.by_name.get(name).copied()
    }

    /// The attribute of a slot of this schema.
    pub fn attribute(&self, slot: Slot) -> Option<&Attribute> {
        self.attributes.get(slot.index())
    }

    /// Whether an attribute is one of the resource's own: another for each row of a list.
    pub const fn is_of_resource(&self, slot: Slot) -> bool {
        slot.index() >= self.first_of_resource
    }

    /// All attributes, in the order of their slots.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The name that was probably meant, when one is near enough.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.by_name.keys().map(|known| &**known))
    }
}

/// The name that was probably meant, when one is near enough.
pub fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let short: String = given.chars().take(MOST_LETTERS).collect();
    let (distance, nearest) = known.map(|known| (strsim::damerau_levenshtein(known, &short), known)).min()?;
    (distance <= 1 + short.len() / 5).then_some(nearest)
}

/// More than any resource has.
const MOST_ATTRIBUTES: usize = 1_000;
/// More than any tenant sets.
pub const MOST_LIMITS: usize = 200;
/// What is longer than any name.
const MOST_LETTERS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_found_by_the_first_attributes() {
        let schema = Schema::with([]);
        let slots = [Slot::USER_ID, Slot::USER_ROLE, Slot::USER_TEAMS, Slot::CLIENT_ID];
        let names = slots.map(|slot| &*schema.attribute(slot).unwrap().name);
        assert_eq!(names, ["user.id", "user.role", "user.teams", "client.id"]);
    }

    #[test]
    fn limits_stand_before_the_resource_in_every_schema() {
        let limits = [Limit::new("auto_approve", Type::Money).unwrap(), Limit::new("guests", Type::Number).unwrap()];
        let any = Schema::with([]).with_limits(&limits);
        let booking = Schema::with([Attribute::new("booking.amount", Type::Money, "")]).with_limits(&limits);
        for limit in &limits {
            assert_eq!(any.slot(limit.name()), booking.slot(limit.name()));
            assert!(!booking.is_of_resource(booking.slot(limit.name()).unwrap()));
        }
        assert!(booking.is_of_resource(booking.slot("booking.amount").unwrap()));
        // Set anew, they take the place of the earlier ones.
        let none = booking.with_limits(&[]);
        assert!(none.slot("tenant.limits.guests").is_none() && none.slot("booking.amount").is_some());
        for bad in ["", "A", "a.b", "1", "a-b", &"a".repeat(65)] {
            assert_eq!(Limit::new(bad, Type::Number), Err(LimitError::Name), "{bad}");
        }
        assert_eq!(Limit::new("roles", Type::Set), Err(LimitError::Type(Type::Set)));
    }

    #[test]
    fn an_alias_is_another_name_for_the_same() {
        let schema = Schema::with([]);
        for (alias, name) in [("env.local_time", "env.time"), ("env.device.trusted", "env.device_trusted")] {
            assert!(schema.slot(alias).is_some() && schema.slot(alias) == schema.slot(name), "{alias}");
        }
        assert_eq!(schema.attributes().len(), COMMON.len());
    }

    #[test]
    fn what_was_probably_meant() {
        let schema = Schema::with([Attribute::new("booking.scheduled_time", Type::Time, "")]);
        assert_eq!(schema.nearest("booking.schedule_time"), Some("booking.scheduled_time"));
        assert_eq!(schema.nearest("user.roles"), Some("user.role"));
        assert_eq!(schema.nearest("colour"), None);
        assert_eq!(schema.nearest(&"x".repeat(100_000)), None);
        let slot = schema.slot("user.role").unwrap();
        assert_eq!(schema.attribute(slot).unwrap().r#type, Type::Set);
        assert_eq!(schema.slot("user.shoe_size"), None);
    }
}
