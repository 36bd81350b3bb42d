//! Every template rendered, with friendly and with hostile values.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use tenantry_testing::markup::Markup;

use super::*;

/// Breaks out of text, of an attribute, of a script and of a comment, if anything lets it.
const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)><!-- {{ page.csrf }} {csrf} & \u{202e}";

fn sign_in() -> SignInPage<'static> {
    SignInPage {
        language: Language::English,
        tenant_name: "Demo",
        client_name: "Demo console",
        form_action: "/t/demo/sign-in",
        interaction: "interaction-1",
        csrf: "csrf-1",
        username: None,
        error: None,
    }
}

fn scopes(names: &[&str]) -> Vec<RequestedScope> {
    names.iter().map(|name| RequestedScope::describe(name, Language::English)).collect()
}

fn consent(scopes: &[RequestedScope]) -> ConsentPage<'_> {
    ConsentPage {
        language: Language::English,
        tenant_name: "Demo",
        client_name: "Acme Calendar",
        client_uri: None,
        return_host: None,
        user_display: "Ada Lovelace",
        scopes,
        form_action: "/t/demo/consent",
        interaction: "interaction-1",
        csrf: "csrf-1",
        use_another_account: None,
    }
}

fn read(html: &str) -> Markup {
    let page = Markup::parse(html).unwrap_or_else(|why| panic!("{why}\n{html}"));
    assert_eq!(page.faults(), Vec::<String>::new(), "{html}");
    page
}

#[test]
fn sign_in_has_its_hooks_and_labels() {
    let page = read(&Pages::new().unwrap().sign_in(&sign_in()).unwrap());
    assert_eq!(page.all("form").next().unwrap().attribute("action"), Some("/t/demo/sign-in"));
    assert_eq!(page.all("form").next().unwrap().attribute("method"), Some("post"));
    let hidden = [("interaction", "interaction-1"), ("csrf", "csrf-1")];
    assert_eq!(page.hidden_values(), hidden.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let username = page.input("username").unwrap();
    for (attribute, value) in
        [("autocomplete", "username"), ("autocapitalize", "none"), ("spellcheck", "false"), ("autofocus", "")]
    {
        assert_eq!(username.attribute(attribute), Some(value), "{attribute}");
    }
    let password = page.input("password").unwrap();
    assert_eq!(password.attribute("autocomplete"), Some("current-password"));
    assert_eq!(password.attribute("type"), Some("password"));
    assert_eq!(password.attribute("value"), None, "a password is never sent back");
    assert_eq!(page.by_id("sign-in").unwrap().attribute("type"), Some("submit"));
    assert_eq!(page.all("title").next().unwrap().text, "Sign in – Demo");
}

#[test]
fn a_prefilled_name_moves_the_focus_to_the_password() {
    let page = read(&Pages::new().unwrap().sign_in(&SignInPage { username: Some("ada"), ..sign_in() }).unwrap());
    assert_eq!(page.value("username"), Some("ada"));
    assert_eq!(page.input("username").unwrap().attribute("autofocus"), None);
    assert_eq!(page.input("password").unwrap().attribute("autofocus"), Some(""));
}

#[test]
fn every_sign_in_error_is_announced() {
    let pages = Pages::new().unwrap();
    for (error, message) in [
        (SignInError::InvalidCredentials, "not correct"),
        (SignInError::Throttled { retry_after_seconds: 1 }, "Wait 1 second, then"),
        (SignInError::Throttled { retry_after_seconds: 600 }, "Wait 10 minutes, then"),
        (SignInError::Busy, "in a few seconds"),
        (SignInError::SessionExpired, "open for too long"),
    ] {
        let html = pages.sign_in(&SignInPage { username: Some("ada"), error: Some(error), ..sign_in() }).unwrap();
        let page = read(&html);
        assert!(html.contains(message), "{error:?}: {html}");
        assert_eq!(page.by_id("sign-in-error").unwrap().attribute("role"), Some("alert"));
        assert!(page.all("title").next().unwrap().text.starts_with("Error: "));
        for input in ["username", "password"] {
            let input = page.input(input).unwrap();
            assert_eq!(input.attribute("aria-describedby"), Some("sign-in-error"));
            let invalid = (error == SignInError::InvalidCredentials).then_some("true");
            assert_eq!(input.attribute("aria-invalid"), invalid, "{error:?}");
        }
    }
}

#[test]
fn consent_lists_what_is_asked_for() {
    let scopes = scopes(&["openid", "profile", "booking.read"]);
    let uri = WebLink::parse("https://calendar.example/about").unwrap();
    let html = Pages::new()
        .unwrap()
        .consent(&ConsentPage {
            client_uri: Some(&uri),
            return_host: Some("calendar.example"),
            use_another_account: Some("/t/demo/sign-in?interaction=1&prompt=login"),
            ..consent(&scopes)
        })
        .unwrap();
    let page = read(&html);
    for (id, value) in [("allow", "allow"), ("deny", "deny")] {
        let button = page.by_id(id).unwrap();
        assert_eq!((button.attribute("name"), button.attribute("value")), (Some("decision"), Some(value)));
    }
    let listed: Vec<&str> = page.all("li").filter_map(|item| item.attribute("data-scope")).collect();
    assert_eq!(listed, ["openid", "profile", "booking.read"]);
    assert!(html.contains("See your profile") && html.contains("View booking") && html.contains("Ada Lovelace"));
    let links: Vec<&str> = page.all("a").filter_map(|link| link.attribute("href")).collect();
    assert_eq!(links, ["https://calendar.example/about", "/t/demo/sign-in?interaction=1&prompt=login"]);
    assert!(html.contains("go on to calendar.example"));
}

#[test]
fn consent_needs_no_optional_value() {
    let html = Pages::new().unwrap().consent(&consent(&scopes(&["openid"]))).unwrap();
    assert_eq!(read(&html).all("a").count(), 0);
}

#[test]
fn sign_out_asks_and_carries_its_parameters() {
    let pages = Pages::new().unwrap();
    let question = SignOutPage {
        language: Language::English,
        tenant_name: "Demo",
        client_name: Some("Acme Calendar"),
        user_display: "Ada Lovelace",
        form_action: "/t/demo/oauth2/end_session",
        csrf: "csrf-1",
        hidden_fields: &[HiddenField { name: "state", value: "a\"b<c" }],
    };
    let html = pages.sign_out(&question).unwrap();
    let page = read(&html);
    assert_eq!((page.value("csrf"), page.value("state")), (Some("csrf-1"), Some("a\"b<c")));
    for (id, value) in [("sign-out", "sign-out"), ("stay-signed-in", "stay")] {
        let button = page.by_id(id).unwrap();
        assert_eq!((button.attribute("name"), button.attribute("value")), (Some("decision"), Some(value)));
    }
    assert!(html.contains("Acme Calendar asks"));
    let html = pages.sign_out(&SignOutPage { client_name: None, hidden_fields: &[], ..question }).unwrap();
    read(&html);
    assert!(html.contains("You will be signed out of Demo"));
}

#[test]
fn the_end_pages_lead_back_where_they_can() {
    let pages = Pages::new().unwrap();
    let link = WebLink::parse("https://calendar.example/").unwrap();
    let back = ReturnLink { link: &link, client_name: "Acme Calendar" };
    let signed_out = SignedOutPage { language: Language::English, tenant_name: "Demo", return_to: None };
    let error = ErrorPage {
        language: Language::English,
        tenant_name: None,
        title: "The app is not known here",
        message: "It asked with a client id that Demo does not have.",
        code: None,
        request_id: "01JABC",
        return_to: None,
    };
    assert_eq!(read(&pages.signed_out(&signed_out).unwrap()).all("a").count(), 0);
    let page = read(&pages.error(&error).unwrap());
    assert_eq!(page.all("a").count(), 0);
    assert_eq!(page.by_id("request-id").unwrap().text, "01JABC");
    let signed_out = SignedOutPage { return_to: Some(back.clone()), ..signed_out };
    let error = ErrorPage { tenant_name: Some("Demo"), code: Some("invalid_client"), return_to: Some(back), ..error };
    for html in [pages.signed_out(&signed_out).unwrap(), pages.error(&error).unwrap()] {
        let page = read(&html);
        assert_eq!(page.all("a").next().unwrap().attribute("href"), Some("https://calendar.example/"));
        assert!(html.contains("Return to Acme Calendar"));
    }
    assert!(pages.error(&error).unwrap().contains("invalid_client"));
}

#[test]
fn hostile_values_stay_text() {
    let pages = Pages::new().unwrap();
    let scopes = scopes(&["openid", "<script>", "a'b.read"]);
    let uri = WebLink::parse("https://calendar.example/\"><script>alert(1)</script>").unwrap();
    let back = || Some(ReturnLink { link: &uri, client_name: HOSTILE });
    let html = [
        pages
            .sign_in(&SignInPage {
                tenant_name: HOSTILE,
                client_name: HOSTILE,
                interaction: HOSTILE,
                csrf: HOSTILE,
                username: Some(HOSTILE),
                error: Some(SignInError::InvalidCredentials),
                ..sign_in()
            })
            .unwrap(),
        pages
            .consent(&ConsentPage {
                tenant_name: HOSTILE,
                client_name: HOSTILE,
                client_uri: Some(&uri),
                return_host: Some(HOSTILE),
                user_display: HOSTILE,
                interaction: HOSTILE,
                csrf: HOSTILE,
                ..consent(&scopes)
            })
            .unwrap(),
        pages
            .sign_out(&SignOutPage {
                language: Language::English,
                tenant_name: HOSTILE,
                client_name: Some(HOSTILE),
                user_display: HOSTILE,
                form_action: "/",
                csrf: HOSTILE,
                hidden_fields: &[HiddenField { name: HOSTILE, value: HOSTILE }],
            })
            .unwrap(),
        pages
            .signed_out(&SignedOutPage { language: Language::English, tenant_name: HOSTILE, return_to: back() })
            .unwrap(),
        pages
            .error(&ErrorPage {
                language: Language::English,
                tenant_name: Some(HOSTILE),
                title: HOSTILE,
                message: HOSTILE,
                code: Some(HOSTILE),
                request_id: HOSTILE,
                return_to: back(),
            })
            .unwrap(),
    ];
    for html in &html {
        let page = read(html);
        assert_eq!(page.all("script").count(), 1, "only our own: {html}");
        assert_eq!(page.all("img").count(), 0);
        if let Some(csrf) = page.value("csrf") {
            assert_eq!(csrf, HOSTILE, "a form returns exactly what it was given");
        }
    }
}

#[test]
fn pages_refer_to_assets_that_exist() {
    let pages = Pages::new().unwrap();
    let page = read(&pages.sign_in(&sign_in()).unwrap());
    let links = page.all("link").filter_map(|link| link.attribute("href"));
    let scripts = page.all("script").filter_map(|script| script.attribute("src"));
    let paths: Vec<&str> = links.chain(scripts).collect();
    assert_eq!(paths.len(), pages.templates.assets().len());
    for path in paths {
        assert!(pages.asset(path).is_some_and(|asset| !asset.body.is_empty()), "{path}");
    }
    assert!(pages.asset("/assets/pages.00000000.css").is_none());
}

#[test]
fn assets_bring_nothing_from_elsewhere() {
    for asset in Pages::new().unwrap().templates.assets() {
        let body = String::from_utf8(asset.body.to_vec()).unwrap().replace("http://www.w3.org/2000/svg", "");
        for foreign in ["http:", "https:", "@import", "url(//"] {
            assert!(!body.contains(foreign), "{}: {foreign}", asset.name);
        }
    }
}
