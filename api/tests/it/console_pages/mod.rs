//! The pages that scripts make, in a real browser. None may break its policy or write an error to the console.

mod audit;
mod policies;
mod roles;
mod sessions;
mod tenants;
mod users;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tenantry_testing::Chromium;
use thirtyfour::{By, Key, TypingData, WebElement};

use crate::support::TestApi;

/// How long a page may take on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(20);
const NOW_AND_THEN: Duration = Duration::from_millis(50);

/// Somebody in front of the console.
struct Desk {
    api: TestApi,
    chromium: Chromium,
}

impl Desk {
    /// Somebody with these roles, signed in; `None` where there is no browser.
    async fn of(roles: &[&str]) -> Option<Self> {
        let chromium = Chromium::start().await?;
        chromium.watch().await;
        let api = TestApi::start().await;
        *api.idp.state().roles.lock().unwrap() = roles.iter().map(|role| (*role).to_owned()).collect();
        *api.idp.state().id_claims.lock().unwrap() = json!({"name": "Ada Lovelace"});
        let desk = Self { api, chromium };
        desk.open("/console").await;
        desk.click("#sign-in").await;
        desk.see("#subject").await;
        Some(desk)
    }

    async fn open(&self, path: &str) {
        self.chromium.driver.goto(format!("{}{path}", self.api.url)).await.unwrap();
    }

    /// The element that the page has, or will have in a moment.
    async fn see(&self, css: &str) -> WebElement {
        self.until("return document.querySelector(arguments[0]) !== null", css, "").await;
        self.chromium.driver.find(By::Css(css)).await.unwrap()
    }

    /// Waits until an element has this text in it.
    async fn read(&self, css: &str, text: &str) {
        let has = "return [...document.querySelectorAll(arguments[0])].some(e => e.innerText.includes(arguments[1]))";
        self.until(has, css, text).await;
    }

    /// Waits until no such element is there.
    async fn miss(&self, css: &str) {
        self.until("return document.querySelector(arguments[0]) === null", css, "").await;
    }

    /// Waits until the page says that it is so.
    async fn until(&self, script: &str, css: &str, text: &str) {
        let asked = async {
            // While a page gives way to the next, it answers nothing.
            while self
                .chromium
                .driver
                .execute(script, vec![json!(css), json!(text)])
                .await
                .map(|said| said.json().clone())
                .ok()
                != Some(json!(true))
            {
                tokio::time::sleep(NOW_AND_THEN).await;
            }
        };
        let is_so = tokio::time::timeout(PATIENCE, asked).await.is_ok();
        assert!(is_so, "{css} {text:?}: {script}\n{}\n{:?}", self.text().await, self.chromium.complaints().await);
    }

    async fn click(&self, css: &str) {
        // A list may give way to a newer one between being found and being clicked.
        for _ in 0..100 {
            if self.see(css).await.click().await.is_ok() {
                return;
            }
            tokio::time::sleep(NOW_AND_THEN).await;
        }
        panic!("{css} cannot be clicked");
    }

    /// Puts a text into a field, in place of what it had.
    async fn fill(&self, css: &str, text: &str) {
        let field = self.see(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    async fn choose(&self, css: &str, option: &str) {
        self.see(css).await;
        let choose = "const s = document.querySelector(arguments[0]); \
                      s.value = [...s.options].find(o => o.textContent.includes(arguments[1])).value; \
                      s.dispatchEvent(new Event('change', {bubbles: true}));";
        self.chromium.driver.execute(choose, vec![json!(css), json!(option)]).await.unwrap();
    }

    /// Presses keys where the focus is.
    async fn press(&self, keys: impl Into<TypingData>) {
        self.chromium.driver.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Goes on with the tabulator until the focus is on such an element, and no further than a page is long.
    async fn tab_to(&self, css: &str) {
        self.see(css).await;
        for _ in 0..80 {
            self.press(Key::Tab).await;
            let is_there = self.script("return document.activeElement.matches(arguments[0])", vec![json!(css)]).await;
            if is_there == json!(true) {
                return;
            }
        }
        panic!("the tabulator does not lead to {css}");
    }

    async fn text(&self) -> String {
        let body = self.chromium.driver.find(By::Css("body")).await.unwrap();
        body.text().await.unwrap_or_default()
    }

    async fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.chromium.driver.execute(script, arguments).await.unwrap().json().clone()
    }

    async fn path(&self) -> String {
        self.chromium.driver.current_url().await.unwrap().path().to_owned()
    }

    /// Keeps pictures of the page as desks and phones show it, in light and dark.
    async fn keep(&self, name: &str) {
        for (look, width, height, is_dark) in [
            ("desk-light", 1280, 900, false),
            ("desk-dark", 1280, 900, true),
            ("phone-light", 390, 844, false),
            ("phone-dark", 390, 844, true),
        ] {
            self.chromium.look(width, height, is_dark).await;
            let wider = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
            assert_eq!(
                self.script(wider, Vec::new()).await,
                json!(false),
                "{name} has to be scrolled sideways: {look}"
            );
            self.chromium.keep_screenshot(&format!("console-{name}-{look}")).await;
        }
        self.chromium.look(1280, 900, false).await;
    }

    /// What the API says to the administrator of a test.
    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        self.api.done_as(&self.api.administrator(), method, path, &body).await
    }

    /// The end: nobody complained.
    async fn leave(self) {
        assert_eq!(self.chromium.complaints().await, Vec::<String>::new());
        self.chromium.close().await;
    }
}
