use crate::client::{get, send};
use crate::server::{Doors, http, setup, start, start_with};

#[actix_web::test]
async fn what_is_not_there_is_a_problem() {
    let server = start();
    for path in ["/nowhere", "/items/not-a-number", "/shared/nowhere"] {
        let answer = get(server.address(), path, &[]).await;
        assert_eq!(answer.status, 404);
        let problem = answer.problem();
        assert_eq!(problem["type"], "http://localhost:8080/problems/not-found");
        assert_eq!(problem["title"], "Not found");
    }
}

#[actix_web::test]
async fn a_method_that_is_not_offered_names_those_that_are() {
    let server = start();
    let answer = send(server.address(), "PUT", "/items/1", &[], "").await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), Some("GET, HEAD, DELETE"));
    assert_eq!(answer.problem()["type"], "http://localhost:8080/problems/method-not-allowed");
    assert_eq!(send(server.address(), "BREW", "/items/1", &[], "").await.status, 405);
}

#[actix_web::test]
async fn errors_of_libraries_and_bare_statuses_become_problems() {
    let server = start();
    let answer = get(server.address(), "/text", &[]).await;
    assert_eq!(answer.problem()["type"], "http://localhost:8080/problems/conflict");
    assert!(!answer.body.contains("library"), "their words are not ours");
    let teapot = get(server.address(), "/bare", &[]).await;
    assert_eq!((teapot.status, teapot.problem()["type"].as_str()), (418, Some("about:blank")));
    let query = get(server.address(), "/search?limit=many", &[]).await;
    assert_eq!((query.status, query.problem()["errors"][0]["pointer"].as_str()), (422, Some("query")));
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(send(server.address(), "POST", "/form", &[form], "limit=many").await.problem()["status"], 422);
    assert_eq!(send(server.address(), "POST", "/form", &[], "limit=1").await.problem()["status"], 415);
}

#[actix_web::test]
async fn a_fault_says_nothing_but_the_id_to_quote() {
    let server = start();
    let answer = get(server.address(), "/fail", &[("X-Request-Id", "quote-me")]).await;
    assert_eq!(
        answer.problem(),
        serde_json::json!({
            "type": "http://localhost:8080/problems/internal",
            "title": "Something went wrong on our side",
            "status": 500,
            "instance": "quote-me",
        })
    );
}

#[actix_web::test]
async fn types_stand_where_the_documentation_is() {
    let mut setup = setup(http());
    setup.problem_base = Some("https://docs.example.com".to_owned());
    let server = start_with(setup, Doors::new());
    let problem = get(server.address(), "/nowhere", &[]).await.problem();
    assert_eq!(problem["type"], "https://docs.example.com/problems/not-found");
}
