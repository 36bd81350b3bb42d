//! What is decided before the database is asked, and what it can be asked.

use serde_json::{Value as Json, json};

use super::{Column, *};

/// Whether nothing is found, everything is found, and that is exact.
type Found = (bool, bool, bool);

const NOTHING: Found = (true, false, true);
const EVERYTHING: Found = (false, true, true);
const SOME: Found = (false, false, true);

fn policies(catalogue: &Catalogue, list: &[(&str, Json)]) -> PolicySet {
    let policy = |(effect, conditions): &(&str, Json)| {
        let json = json!({"name": "p", "target": {"resource": "thing", "action": "read"},
            "rules": {"effect": effect, "conditions": conditions}});
        Policy::parse(catalogue, json).unwrap()
    };
    PolicySet::new(list.iter().map(policy).collect())
}

#[test]
fn what_is_known_is_decided_before_the_database_is_asked() {
    let catalogue = catalogue();
    let schema = catalogue.schema(Some("thing")).unwrap();
    let columns = columns(schema);
    let mut facts = Facts::at(NOW.parse().unwrap());
    facts.set(schema.slot("user.role").unwrap(), Value::set(["Agent"]));
    let filter = |base, list: &[(&str, Json)]| {
        let listing = Listing { schema, columns: &columns, resource: "thing", action: "read", facts: &facts, base };
        let filter = policies(&catalogue, list).filter(&listing);
        (filter.is_nothing(), filter.is_everything(), filter.is_exact())
    };
    assert_eq!(filter(false, &[]), NOTHING);
    assert_eq!(filter(true, &[]), EVERYTHING);
    let agents = json!([{"user.role": "Agent"}]);
    let managers = json!([{"user.role": "Manager", "thing.owner": "ada"}]);
    let paid = json!([{"user.role": "Agent", "thing.paid": true}]);
    let unknown = json!([{"user.id": "ada"}]);
    assert_eq!(filter(false, &[("allow", agents.clone())]), EVERYTHING);
    assert_eq!(filter(false, &[("allow", managers.clone())]), NOTHING);
    assert_eq!(filter(true, &[("deny", managers)]), EVERYTHING);
    assert_eq!(filter(false, &[("allow", paid.clone())]), SOME);
    assert_eq!(filter(true, &[("deny", agents)]), NOTHING);
    assert_eq!(filter(true, &[("deny", paid.clone())]), SOME);
    // The caller's id is not known: not enough to allow, enough to forbid.
    assert_eq!(filter(false, &[("allow", unknown.clone())]), NOTHING);
    assert_eq!(filter(true, &[("deny", unknown.clone()), ("allow", paid.clone())]), NOTHING);
    // What the database cannot say is left to the decision over each row, in both directions.
    let note = json!([{"thing.note": "x"}]);
    let rounded = json!([{"thing.weight": "> thing.guests / 3"}]);
    assert_eq!(filter(false, &[("allow", note.clone())]), (false, true, false));
    assert_eq!(filter(true, &[("deny", note.clone())]), (false, true, false));
    assert_eq!(filter(true, &[("deny", rounded)]), (false, false, false));
    // But only where it matters.
    assert_eq!(filter(true, &[("allow", note.clone())]), EVERYTHING);
    assert_eq!(filter(true, &[("deny", note), ("deny", unknown)]), NOTHING);
}

#[tokio::test]
async fn thousands_of_policies_make_a_query_that_a_database_takes() {
    let catalogue = catalogue();
    let schema = catalogue.schema(Some("thing")).unwrap();
    let columns = columns(schema);
    let facts = Facts::at(NOW.parse().unwrap());
    let many = |count: usize| -> Vec<_> {
        (0..count).map(|at| ("allow", json!([{"thing.owner": format!("owner {at}"), "thing.guests": "> 2"}]))).collect()
    };
    let mut random = TestRunner::default();
    let mut things = things_to_list().new_tree(&mut random).unwrap().current();
    (things[7].owner, things[7].guests) = (Some("owner 7".to_owned()), Some(3));
    for database in TestDatabase::on_each_backend().await {
        let db = prepared(&database, &things).await;
        for (count, exact) in [(1_000, true), (5_000, false)] {
            let listing =
                Listing { schema, columns: &columns, resource: "thing", action: "read", facts: &facts, base: false };
            let filter = policies(&catalogue, &many(count)).filter(&listing);
            assert_eq!(filter.is_exact(), exact, "{count}");
            let found = listed(&db, &filter).await;
            assert!(found.contains(&7) && (found == [7]) == exact, "{count}: {found:?}");
        }
        db.close().await;
    }
}

#[test]
fn columns_fit_their_attributes() {
    let catalogue = catalogue();
    let schema = catalogue.schema(Some("thing")).unwrap();
    let wrong = |name, column| Columns::new(schema, [(name, column)]).unwrap_err();
    assert_eq!(wrong("thing.colour", Column::Text("c")), ColumnsError::Unknown("thing.colour".to_owned()));
    assert_eq!(wrong("user.id", Column::Text("c")), ColumnsError::Unknown("user.id".to_owned()));
    assert!(matches!(wrong("thing.owner", Column::Count("c")), ColumnsError::Type { found: Type::Number, .. }));
    assert!(matches!(wrong("thing.length", Column::Duration("c", 0)), ColumnsError::Unit(_)));
}
