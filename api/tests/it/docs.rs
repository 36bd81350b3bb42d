//! `/docs` and `/problems`.

use reqwest::StatusCode;

use crate::support::{TestApi, problem};

#[actix_web::test]
async fn the_reference_is_made_of_local_files() {
    let api = TestApi::start().await;
    let response = api.get("/docs").await;
    assert_eq!(response.status(), StatusCode::OK);
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let html = response.text().await.unwrap();
    assert!(!html.contains("http://") && !html.contains("https://"), "nothing comes from elsewhere");
    assert!(!html.contains("<script>") && !html.contains(" style="), "nothing is inline");
    let paths: Vec<&str> = html.split('"').filter(|part| part.starts_with("/docs/")).collect();
    assert_eq!(paths, ["/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/reference.js"]);
    for path in paths {
        let file = api.get(path).await;
        assert_eq!(file.status(), StatusCode::OK, "{path}");
        assert_eq!(file.headers()["x-content-type-options"], "nosniff");
        assert!(file.bytes().await.unwrap().len() > 100);
    }
    for path in ["/docs/index.html", "/docs/swagger-initializer.js", "/docs/..%2FCargo.toml"] {
        problem(api.get(path).await, StatusCode::NOT_FOUND).await;
    }
}

#[actix_web::test]
async fn the_type_of_a_problem_is_an_address_that_explains_it() {
    let api = TestApi::start().await;
    for path in ["/api/v1/me", "/api/v1/missing"] {
        let problem: serde_json::Value = api.get(path).await.json().await.unwrap();
        let page = api.get(problem["type"].as_str().unwrap().strip_prefix(&api.url).unwrap()).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(page.text().await.unwrap().contains(problem["title"].as_str().unwrap()));
    }
    problem(api.get("/problems/nonsense").await, StatusCode::NOT_FOUND).await;
}
