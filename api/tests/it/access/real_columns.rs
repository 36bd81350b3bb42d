//! What the database finds is what a decision about each thing allows: over the columns in which people, roles, groups,
//! policies and entries of the audit trail really are.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use reqwest::Method;
use serde_json::{Value as Json, json};
use tenantry_api::access::policy::{Facts, Listing, Policy, PolicySet, Schema, Type, Value};
use tenantry_api::decisions::store;
use tenantry_api::routes;
use tenantry_db::{DbError, TenantScope};
use tenantry_types::{Clock as _, UtcTime};

use crate::support::TestApi;

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

/// People, roles, groups and policies of many kinds, and with them entries of the audit trail.
async fn tenant() -> TestApi {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    // Known by their tokens alone: they have no address.
    for roles in [&["member"][..], &["auditor", "provider"], &[]] {
        api.id_of(&api.user(roles, "api")).await;
    }
    let mut people = Vec::new();
    for (email, status) in
        [("ann@acme.example", "active"), ("ANNE@acme.example", "suspended"), ("a_n@acme.example", "inactive")]
    {
        let body = json!({"email": email, "password": "securePassword123"});
        let id = api.done_as(&admin, Method::POST, "/api/v1/users", &body).await["id"].as_str().unwrap().to_owned();
        if status != "active" {
            let at = format!("/api/v1/users/{id}");
            api.done_as(&admin, Method::PATCH, &at, &json!({ "status": status })).await;
        }
        people.push(id);
    }
    let mut parent = Json::Null;
    for (at, name) in ["Board", "Board members", "50% and more", "\u{c4}rzte"].into_iter().enumerate() {
        api.clock.advance(std::time::Duration::from_secs(at as u64));
        let body = json!({"name": name, "parent_id": parent});
        let group = api.done_as(&admin, Method::POST, "/api/v1/groups", &body).await;
        let member = format!("/api/v1/groups/{}/members/{}", group["id"].as_str().unwrap(), people[at % 2]);
        api.done_as(&admin, Method::PUT, &member, &Json::Null).await;
        if at == 0 {
            parent = group["id"].clone();
        }
    }
    for (name, family) in [("Guest", "Customer"), ("Helper_1", "Internal"), ("\u{e9}quipe", "Provider")] {
        let body = json!({"name": name, "role_family": family, "permissions": ["account.read"]});
        api.done_as(&admin, Method::POST, "/api/v1/roles", &body).await;
    }
    for (name, effect, resource, action, priority, is_enabled) in [
        ("one", "allow", "booking", "read", 5, true),
        ("Two", "deny", "invoice_of_nobody", "*", -3, false),
        ("three%", "deny", "booking", "*", 0, false),
        ("all", "allow", "*", "*", 1_000_000, false),
    ] {
        let resource = if resource == "invoice_of_nobody" { "group" } else { resource };
        let body = json!({"name": name, "priority": priority, "is_enabled": is_enabled,
            "target": {"resource": resource, "action": action}, "rules": {"effect": effect}});
        api.done_as(&admin, Method::POST, "/api/v1/policies", &body).await;
    }
    api
}

/// What can be asked of one attribute, where things have these values of it.
fn asked(of: Type, values: &[Value]) -> Vec<String> {
    let mut asked = vec!["exists".to_owned(), "not(exists)".to_owned()];
    let texts: BTreeSet<String> = values
        .iter()
        .flat_map(|value| match value {
            Value::Text(text) => vec![text.to_string()],
            Value::Set(texts) => texts.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        })
        .collect();
    let quoted = |text: &str| Value::text(text).to_string();
    match of {
        Type::Text | Type::Set => {
            let texts: Vec<String> = texts.into_iter().step_by(2).take(5).collect();
            asked.push(format!("in [{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")));
            for text in &texts {
                for text in [text.clone(), text.to_uppercase(), format!("{text} ")] {
                    asked.extend([format!("== {}", quoted(&text)), format!("!= {}", quoted(&text))]);
                }
                if of == Type::Text {
                    let start: String = text.chars().take(3).collect();
                    let end: String = text.chars().skip(2).collect();
                    asked.extend([
                        format!("starts_with {}", quoted(&start)),
                        format!("not(ends_with {})", quoted(&end)),
                        format!("contains {}", quoted("_")),
                        format!("contains {}", quoted("%")),
                    ]);
                }
            }
            // With nothing in its brackets it would be no list.
            asked.retain(|condition| condition != "in []");
        }
        Type::Bool => asked.extend(["== true", "!= true", "not(== false)"].map(str::to_owned)),
        Type::Time | Type::Number => {
            for value in values.iter().take(6) {
                for comparison in ["==", "!=", "<", "<=", ">", ">="] {
                    asked.push(format!("{comparison} {value}"));
                }
            }
            if let (Some(one), Some(other)) = (values.first(), values.last()) {
                asked.push(format!("not(between {one} and {other})"));
            }
            if of == Type::Time {
                asked.extend(["> now() - 2s", "< now() - 1s"].map(str::to_owned));
            }
        }
        Type::Duration | Type::Money | Type::Address => {}
    }
    asked
}

fn facts(schema: &Schema, now: UtcTime, known: &[(&'static str, Value)]) -> Facts {
    let mut facts = Facts::at(now);
    for (name, value) in known {
        facts.set(schema.slot(name).unwrap(), value.clone());
    }
    facts
}

#[actix_web::test]
async fn what_the_database_finds_is_what_is_decided_of_each() {
    let api = tenant().await;
    let db = api.database.open().await;
    let (scope, now) = (TenantScope::system(api.idp.tenant("demo").id, "test"), api.clock.now());
    let kinds = routes::table().kinds();
    let mut compared = 0;
    for (name, kind) in kinds.iter() {
        let Some((kept, columns)) = kinds.kept(name) else { continue };
        let (kept, query) = (*kept, format!("SELECT id FROM {}", kept.table));
        let ids = db.read(move |conn| Ok::<_, DbError>(sql_query(&query).load::<Id>(conn)?)).await.unwrap();
        let ids: Vec<String> = ids.into_iter().map(|row| row.id).collect();
        assert!(ids.len() >= 4, "{name}");
        let (load, all) = (kept.load, ids.clone());
        let known = db.read(move |conn| load(conn, scope, now, &all)).await.unwrap();
        assert_eq!(known.len(), ids.len(), "{name}");
        let things: Vec<(&String, Facts)> =
            known.iter().map(|(id, known)| (id, facts(&kind.schema, now, known))).collect();

        // Each attribute by itself, and each condition with one of another attribute, which must hold too or may as well.
        let own = kind.schema.attributes().iter().filter(|one| one.name.starts_with(&format!("{name}.")));
        let single: Vec<(String, String)> = own
            .flat_map(|attribute| {
                let slot = kind.schema.slot(&attribute.name).unwrap();
                let values: Vec<Value> = things.iter().filter_map(|(_, facts)| facts.get(slot).cloned()).collect();
                asked(attribute.r#type, &values).into_iter().map(|asked| (attribute.name.to_string(), asked))
            })
            .collect();
        let alone = single.iter().map(|(attribute, asked)| json!([{ attribute: asked }]));
        let pairs = single.iter().enumerate().flat_map(|(at, (attribute, asked))| {
            let (other, too) = &single[(at * 7 + 3) % single.len()];
            [json!([{ attribute: asked, other: too }]), json!([{ attribute: asked }, { other: too }])]
        });
        for conditions in alone.chain(pairs) {
            for effect in ["allow", "deny"] {
                let policy = json!({"name": "p", "target": {"resource": name, "action": "read"},
                    "rules": {"effect": effect, "conditions": conditions}});
                let policy = Policy::parse(kinds.catalogue(), policy).unwrap_or_else(|e| panic!("{conditions}: {e:?}"));
                let (set, base, nothing) = (PolicySet::new(vec![policy]), effect == "deny", Facts::at(now));
                let listing =
                    Listing { schema: &kind.schema, columns, resource: name, action: "read", facts: &nothing, base };
                let filter = set.filter(&listing);
                let is_exact = filter.is_exact();
                let found = db.read(move |conn| store::ids(conn, scope, &kept, &filter, None, 10_000)).await.unwrap();
                let found: BTreeSet<&String> =
                    found.iter().map(|id| ids.iter().find(|one| *one == id).unwrap()).collect();
                let decided = things.iter().filter(|(_, facts)| set.decide(name, "read", facts).allows(base));
                let decided: BTreeSet<&String> = decided.map(|(id, _)| *id).collect();
                let decided: BTreeSet<&String> =
                    decided.into_iter().map(|id| ids.iter().find(|one| *one == id).unwrap()).collect();
                let is_so = if is_exact { found == decided } else { found.is_superset(&decided) };
                assert!(is_so, "{name} {effect} {conditions}: found {found:?}, decided {decided:?}");
                compared += 1;
            }
        }
    }
    assert!(compared > 1_000, "{compared}");
}
