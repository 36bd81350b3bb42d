//! Every template rendered, with friendly and with hostile values.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use tenantry_testing::markup::Markup;
use tenantry_types::UtcTime;

use super::*;

const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)><!-- {{ page.csrf }} {csrf} &";

fn now() -> UtcTime {
    "2026-01-31T09:30:00Z".parse().unwrap()
}

fn overview() -> OverviewPage<'static> {
    OverviewPage {
        language: Language::English,
        now: now(),
        issuer: "http://localhost:8080/t/demo",
        subject: "0197f2a0-0000-7000-8000-000000000001",
        name: Some("Ada Lovelace"),
        tenant_id: "0197f2a0-0000-7000-8000-000000000002",
        tenant_slug: "demo",
        tenant_name: "Demo",
        roles: &["administrator"],
        scopes: &["openid", "profile", "api"],
        permissions: &[],
        lifetimes: Lifetimes {
            session: Lifetime::Until(now() + Duration::from_secs(8 * 3_600)),
            id_token: Lifetime::Until(now() - Duration::from_secs(61)),
            access_token: Lifetime::Until(now() + Duration::from_secs(600)),
            refresh_token: Lifetime::Unstated,
        },
        sign_out_action: "/console/sign-out",
        csrf: "csrf-1",
    }
}

fn read(html: &str) -> Markup {
    let page = Markup::parse(html).unwrap_or_else(|why| panic!("{why}\n{html}"));
    assert_eq!(page.faults(), Vec::<String>::new(), "{html}");
    page
}

#[test]
fn overview_shows_who_is_signed_in() {
    let html = ConsolePages::new().unwrap().overview(&overview()).unwrap();
    let page = read(&html);
    for (id, text) in [
        ("name", "Ada Lovelace"),
        ("subject", "0197f2a0-0000-7000-8000-000000000001"),
        ("tenant-id", "0197f2a0-0000-7000-8000-000000000002"),
        ("tenant-slug", "demo"),
        ("issuer", "http://localhost:8080/t/demo"),
    ] {
        assert_eq!(page.by_id(id).unwrap().text, text, "{id}");
    }
    let items: Vec<&str> =
        page.all("li").map(|item| item.text.as_str()).filter(|text| !text.trim().is_empty()).collect();
    assert_eq!(items, ["administrator", "openid", "profile", "api"]);
    let sections: Vec<&str> =
        page.all("a").filter_map(|a| a.attribute("href")).filter(|href| href.starts_with("/console/")).collect();
    assert_eq!(sections, ["/console/sessions"], "the others are of no use to somebody who may do nothing");
    assert!(page.by_id("roles").is_some() && page.by_id("scopes").is_some());
    assert_eq!(page.by_id("sign-out").unwrap().attribute("type"), Some("submit"));
    assert_eq!(page.all("form").next().unwrap().attribute("action"), Some("/console/sign-out"));
    assert_eq!(page.value("csrf"), Some("csrf-1"));
    let current: Vec<&str> =
        page.all("a").filter(|a| a.attribute("aria-current").is_some()).map(|a| a.text.as_str()).collect();
    assert_eq!(current, ["Overview"]);
}

#[test]
fn lifetimes_are_absolute_and_relative() {
    let html = ConsolePages::new().unwrap().overview(&overview()).unwrap();
    let times: Vec<(String, String)> = read(&html)
        .all("time")
        .map(|time| (time.attribute("datetime").unwrap().to_owned(), time.text.clone()))
        .collect();
    let expected = [
        ("2026-01-31T17:30:00Z", "2026-01-31 17:30:00 UTC"),
        ("2026-01-31T09:28:59Z", "2026-01-31 09:28:59 UTC"),
        ("2026-01-31T09:40:00Z", "2026-01-31 09:40:00 UTC"),
    ];
    assert_eq!(times, expected.map(|(machine, absolute)| (machine.to_owned(), absolute.to_owned())));
    for text in ["ends in 8 hours", "expired 61 seconds ago", "ends in 10 minutes", "Not stated"] {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn overview_needs_no_optional_value() {
    let absent = Lifetime::Absent;
    let lifetimes =
        Lifetimes { session: absent, id_token: absent, access_token: absent, refresh_token: Lifetime::Until(now()) };
    let page = OverviewPage { name: None, roles: &[], scopes: &[], lifetimes, ..overview() };
    let html = ConsolePages::new().unwrap().overview(&page).unwrap();
    let read = read(&html);
    assert_eq!(read.all("h1").next().unwrap().text, overview().subject);
    assert!(html.contains("No roles") && html.contains("No scopes"));
    assert!(html.contains("expired 1 second ago"), "the end itself is not inside the lifetime");
}

#[test]
fn landing_asks_for_the_tenant() {
    let pages = ConsolePages::new().unwrap();
    let landing = LandingPage {
        language: Language::English,
        form_action: "/console/sign-in",
        return_to: None,
        tenant: None,
        error: None,
    };
    let page = read(&pages.landing(&landing).unwrap());
    assert_eq!(page.all("form").next().unwrap().attribute("action"), Some("/console/sign-in"));
    assert_eq!(page.input("tenant").unwrap().attribute("aria-describedby"), Some("tenant-hint"));
    assert_eq!(page.by_id("sign-in").unwrap().attribute("type"), Some("submit"));
    let page = read(&pages.landing(&LandingPage { tenant: Some("demo"), ..landing.clone() }).unwrap());
    assert_eq!(page.value("tenant"), Some("demo"));
    for error in [LandingError::UnknownTenant, LandingError::ProviderUnavailable] {
        let page =
            read(&pages.landing(&LandingPage { tenant: Some("demo"), error: Some(error), ..landing.clone() }).unwrap());
        assert_eq!(page.input("tenant").unwrap().attribute("aria-describedby"), Some("tenant-error tenant-hint"));
        let invalid = (error == LandingError::UnknownTenant).then_some("true");
        assert_eq!(page.input("tenant").unwrap().attribute("aria-invalid"), invalid);
        assert_eq!(page.by_id("tenant-error").unwrap().attribute("role"), Some("alert"));
        assert!(page.all("title").next().unwrap().text.starts_with("Error: "));
    }
}

#[test]
fn the_end_pages_lead_on() {
    let pages = ConsolePages::new().unwrap();
    let page =
        read(&pages.signed_out(&SignedOutPage { language: Language::English, sign_in_path: "/console" }).unwrap());
    assert_eq!(page.by_id("sign-in-again").unwrap().attribute("href"), Some("/console"));
    let error = ErrorPage {
        language: Language::English,
        title: "Sign-in was refused",
        message: "You did not allow it.",
        code: None,
        request_id: "01JABC",
        try_again_path: None,
    };
    assert_eq!(read(&pages.error(&error).unwrap()).by_id("request-id").unwrap().text, "01JABC");
    let error = ErrorPage { code: Some("access_denied"), try_again_path: Some("/console"), ..error };
    let html = pages.error(&error).unwrap();
    read(&html);
    assert!(html.contains("access_denied") && html.contains("Try again"));
}

#[test]
fn hostile_values_stay_text() {
    let pages = ConsolePages::new().unwrap();
    let html = [
        pages
            .overview(&OverviewPage {
                issuer: HOSTILE,
                subject: HOSTILE,
                name: Some(HOSTILE),
                tenant_id: HOSTILE,
                tenant_slug: HOSTILE,
                tenant_name: HOSTILE,
                roles: &[HOSTILE],
                scopes: &[HOSTILE],
                csrf: HOSTILE,
                ..overview()
            })
            .unwrap(),
        pages
            .landing(&LandingPage {
                language: Language::English,
                form_action: "/console/sign-in",
                return_to: Some(HOSTILE),
                tenant: Some(HOSTILE),
                error: Some(LandingError::UnknownTenant),
            })
            .unwrap(),
        pages
            .error(&ErrorPage {
                language: Language::English,
                title: HOSTILE,
                message: HOSTILE,
                code: Some(HOSTILE),
                request_id: HOSTILE,
                try_again_path: Some("/console"),
            })
            .unwrap(),
    ];
    for html in &html {
        let page = read(html);
        assert_eq!(page.all("script").count(), 0, "{html}");
        assert_eq!(page.all("img").count(), 1, "only our own: {html}");
    }
}

#[test]
fn pages_refer_to_assets_that_exist() {
    let pages = ConsolePages::new().unwrap();
    let page = read(&pages.overview(&overview()).unwrap());
    for path in page.all("link").filter_map(|link| link.attribute("href")) {
        assert!(pages.asset(path).is_some_and(|asset| !asset.body.is_empty()), "{path}");
    }
    assert!(pages.asset("/console/assets/console.00000000.css").is_none());
}

fn shell() -> ShellPage<'static> {
    ShellPage {
        language: Language::English,
        section: Section::Users,
        subject: "0197f2a0-0000-7000-8000-000000000001",
        name: Some("Ada Lovelace"),
        tenant_id: "0197f2a0-0000-7000-8000-000000000002",
        tenant_slug: "demo",
        is_platform: false,
        permissions: &["account.read", "role.read"],
        sign_out_action: "/console/sign-out",
        csrf: "csrf-1",
    }
}

#[test]
fn the_shell_names_its_modules_and_what_they_have_to_know() {
    let pages = ConsolePages::new().unwrap();
    let page = read(&pages.shell(&shell()).unwrap());
    let meta = |name: &str| {
        let found = page.all("meta").find(|meta| meta.attribute("name") == Some(name)).unwrap();
        found.attribute("content").unwrap().to_owned()
    };
    assert_eq!(meta("console-csrf"), "csrf-1");
    assert_eq!(meta("console-permissions"), "account.read role.read");
    let scripts: Vec<&str> = page.all("script").filter_map(|script| script.attribute("src")).collect();
    assert_eq!(scripts.len(), 1);
    let preloaded = page.all("link").filter(|link| link.attribute("rel") == Some("modulepreload"));
    for path in preloaded.filter_map(|link| link.attribute("href")).chain(scripts) {
        let asset = pages.asset(path).unwrap();
        assert_eq!(asset.content_type, "text/javascript; charset=utf-8", "{path}");
    }
    let sections: Vec<&str> =
        page.all("a").filter_map(|a| a.attribute("href")).filter(|href| href.starts_with("/console/")).collect();
    assert_eq!(sections, ["/console/users", "/console/roles", "/console/sessions"]);
}

#[test]
fn modules_are_imported_by_names_that_there_are_and_make_no_markup() {
    let modules = modules::all();
    let is_there = |name: &str| modules.iter().any(|(known, _)| *known == name);
    for (name, source) in &modules {
        for (_, after) in source.match_indices("\"./").map(|(at, found)| (at, &source[at + found.len()..])) {
            let imported = after.split('"').next().unwrap();
            assert!(is_there(imported), "{name} imports {imported}");
        }
        for sink in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "setHTML"]
        {
            assert!(!source.contains(sink), "{name} has {sink}");
        }
    }
}

#[test]
fn hostile_values_stay_text_in_the_shell() {
    let html = ConsolePages::new().unwrap().shell(&ShellPage {
        subject: HOSTILE,
        name: Some(HOSTILE),
        tenant_slug: HOSTILE,
        permissions: &[HOSTILE],
        csrf: HOSTILE,
        ..shell()
    });
    let page = read(&html.unwrap());
    assert_eq!((page.all("script").count(), page.all("img").count()), (1, 1));
}
