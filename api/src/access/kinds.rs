//! The kinds of things that permissions and policies speak of, with what is known of each and what can be done to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UtcTime;

use super::permissions::is_name;
use super::policy::{Attribute, Catalogue, Column, Columns, Limit, Resource, Schema, Type, Value};

/// What is known of a thing: the names of its attributes, as `booking.status`, and their values.
pub type Attributes = Vec<(&'static str, Value)>;

/// Ids, and what is known of the things that they name.
pub type Known = Vec<(String, Attributes)>;

/// A kind as it is declared beside its routes.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What permissions call it: `booking`.
    pub name: &'static str,
    /// What can be done to it, besides what the routes name.
    pub actions: &'static [&'static str],
    /// What is known of one: the name without that of the kind, the type, and what it means.
    pub attributes: &'static [(&'static str, Type, &'static str)],
    /// Where those of this kind are kept; `None` when that is not here.
    pub kept: Option<Kept>,
}

/// Where the things of a kind are kept, so that the database can be asked which of them somebody may do something to.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// The table, which has a `tenant_id` and an `id`.
    pub table: &'static str,
    /// Where attributes are: `booking.status` is in `` `bookings`.`status` ``. Of those that are left out the database
    /// cannot be asked.
    pub columns: &'static [(&'static str, Column)],
    /// What is known of those with these ids at a time, in one go.
    pub load: fn(&mut Connection, TenantScope, UtcTime, &[String]) -> Result<Known, DbError>,
}

/// All kinds of a tenant: those that this service has, and those that the tenant's own permissions name.
#[derive(Debug, Clone)]
pub struct Kinds {
    by_name: BTreeMap<Arc<str>, Resource>,
    catalogue: Arc<Catalogue>,
    common: Arc<Schema>,
    kept: Arc<BTreeMap<&'static str, (Kept, Columns)>>,
}

impl Kinds {
    /// The kinds that are described, and those that permissions name. Both may name one.
    pub fn new<'a>(described: &[Kind], permissions: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut kinds: BTreeMap<Arc<str>, Resource> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for Kind { name, actions, attributes, kept } in described {
            let attributes = attributes.iter();
            let attributes =
                attributes.map(|(own, of, meaning)| Attribute::new(&format!("{name}.{own}"), *of, meaning));
            let resource = Resource { schema: Schema::with(attributes), actions: Vec::new() };
            let resource = kinds.entry((*name).into()).or_insert(resource);
            actions.iter().for_each(|action| add(resource, action));
            if let Some(kept) = kept {
                // Columns that do not fit are a mistake in the declaration, which a test finds. Without any, each thing is
                // decided on by itself.
                let columns = Columns::new(&resource.schema, kept.columns.iter().copied()).unwrap_or_default();
                places.insert(*name, (*kept, columns));
            }
        }
        Self::finish(kinds, Arc::new(places), permissions)
    }

    /// These, and what the permissions of a tenant add to them. A text that is no name adds nothing.
    #[must_use]
    pub fn with<'a>(&self, permissions: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::finish(self.by_name.clone(), Arc::clone(&self.kept), permissions)
    }

    /// These, for a tenant that has set these limits.
    #[must_use]
    pub fn with_limits(&self, limits: &[Limit]) -> Self {
        let of = |resource: &Resource| Resource { schema: resource.schema.with_limits(limits), ..resource.clone() };
        let by_name: BTreeMap<Arc<str>, Resource> =
            self.by_name.iter().map(|(name, resource)| (Arc::clone(name), of(resource))).collect();
        let catalogue = Arc::new(self.catalogue.with_limits(limits));
        let common = Arc::new(self.common.with_limits(limits));
        Self { by_name, catalogue, common, kept: Arc::clone(&self.kept) }
    }

    fn finish<'a>(
        mut kinds: BTreeMap<Arc<str>, Resource>,
        kept: Arc<BTreeMap<&'static str, (Kept, Columns)>>,
        permissions: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        for (name, action) in permissions.into_iter().filter(|(name, action)| is_name(name) && is_name(action)) {
            let new = || Resource { schema: Schema::with([]), actions: Vec::new() };
            add(kinds.entry(name.into()).or_insert_with(new), action);
        }
        let catalogue = Arc::new(Catalogue::new(kinds.clone()));
        Self { by_name: kinds, catalogue, common: Arc::new(Schema::with([])), kept }
    }

    /// What policies are compiled against.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// One kind.
    pub fn get(&self, name: &str) -> Option<&Resource> {
        self.by_name.get(name)
    }

    /// What can be known of one kind; of one that is not known, what is known of all.
    pub fn schema(&self, name: &str) -> &Schema {
        self.by_name.get(name).map_or(&self.common, |kind| &kind.schema)
    }

    /// Where the things of a kind are kept, and its columns.
    pub fn kept(&self, name: &str) -> Option<&(Kept, Columns)> {
        self.kept.get(name)
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Resource)> {
        self.by_name.iter().map(|(name, resource)| (&**name, resource))
    }
}

fn add(resource: &mut Resource, action: &str) {
    if let Err(at) = resource.actions.binary_search_by(|known| (**known).cmp(action)) {
        resource.actions.insert(at, action.into());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_routes_and_tenants_name_is_added_to_what_is_described() {
        let attributes = &[("status", Type::Text, "how it stands")];
        let kinds =
            Kinds::new(&[Kind { name: "booking", actions: &["read"], attributes, kept: None }], [("role", "read")]);
        let kinds = kinds.with([("booking", "cancel"), ("invoice", "send"), ("Bad", "x"), ("booking", "read")]);
        let shown: Vec<_> = kinds.iter().map(|(name, kind)| format!("{name}: {}", kind.actions.join(" "))).collect();
        assert_eq!(shown, ["booking: cancel read", "invoice: send", "role: read"]);
        assert!(kinds.get("booking").unwrap().schema.slot("booking.status").is_some());
    }
}
