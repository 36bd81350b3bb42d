//! A real browser.

#![allow(clippy::expect_used, reason = "a test without its browser can only stop")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use thirtyfour::{ChromiumLikeCapabilities as _, DesiredCapabilities, WebDriver};

/// Names the chromedriver to use; without it, that of the path.
const CHROMEDRIVER: &str = "CHROMEDRIVER";

/// Set while only the quick tests run, which need no browser.
const FAST: &str = "TENANTRY_TEST_FAST";

/// What runs in each page before its own scripts.
const WATCHING: &str = "(() => {
    const note = (text) => {
        try {
            const all = JSON.parse(localStorage.getItem('complaints') ?? '[]');
            localStorage.setItem('complaints', JSON.stringify([...all, String(text)]));
        } catch {}
    };
    addEventListener('securitypolicyviolation', (event) => note(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
    addEventListener('error', (event) => note(`error: ${event.message ?? event.target?.src}`), true);
    addEventListener('unhandledrejection', (event) => note(`rejection: ${event.reason}`));
    const say = console.error;
    console.error = (...all) => { note(`console: ${all.join(' ')}`); say(...all); };
})()";

/// Chromium without a screen, behind a chromedriver of its own. Both end with this value.
#[derive(Debug)]
pub struct Chromium {
    /// The browser.
    pub driver: WebDriver,
    url: String,
    process: Child,
}

impl Chromium {
    /// Starts a browser; `None`, with a word to whoever reads the output, where there is none.
    ///
    /// # Panics
    /// When there is one that does not start.
    pub async fn start() -> Option<Self> {
        if std::env::var_os(FAST).is_some_and(|value| !value.is_empty()) {
            eprintln!("skipped: {FAST} is set");
            return None;
        }
        let program = std::env::var_os(CHROMEDRIVER).filter(|path| !path.is_empty()).unwrap_or("chromedriver".into());
        let spawned = Command::new(&program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut process) = spawned else {
            assert!(std::env::var_os(CHROMEDRIVER).is_none(), "{CHROMEDRIVER} does not start");
            eprintln!("skipped: there is no chromedriver");
            return None;
        };
        let output = process.stdout.take().expect("a pipe");
        let port = BufReader::new(output).lines().map_while(Result::ok).find_map(|line| {
            line.split_once("started successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_owned())
        });
        let url = format!("http://127.0.0.1:{}", port.expect("chromedriver says its port"));
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,1000"]
        {
            capabilities.add_arg(argument).expect("an argument");
        }
        let driver = WebDriver::new(&url, capabilities).await.expect("a browser");
        Some(Self { driver, url, process })
    }

    /// Keeps a picture of what the browser shows: `artifacts/{name}.png` at the top of the repository.
    ///
    /// # Panics
    /// When there is nowhere to put it.
    pub async fn keep_screenshot(&self, name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../artifacts");
        std::fs::create_dir_all(&folder).expect("a folder for artifacts");
        let path = folder.join(format!("{name}.png"));
        self.driver.screenshot(&path).await.expect("a screenshot");
        path
    }

    /// Has pages that are opened from now on remember what they complain of: scripts that fail, what their policy forbids, and
    /// what they write to the console as an error.
    ///
    /// # Panics
    /// When the browser does not understand.
    pub async fn watch(&self) {
        self.command("Page.addScriptToEvaluateOnNewDocument", serde_json::json!({ "source": WATCHING })).await;
    }

    /// What pages of this origin have complained of since the last time.
    ///
    /// # Panics
    /// When the browser does not say.
    pub async fn complaints(&self) -> Vec<String> {
        let take = "const all = localStorage.getItem('complaints') ?? '[]'; localStorage.removeItem('complaints'); \
                    return JSON.parse(all);";
        let taken = self.driver.execute(take, Vec::new()).await.expect("a page with a storage");
        taken.convert().expect("a list of texts")
    }

    /// Shows pages in a window of this size, in light or dark.
    ///
    /// # Panics
    /// When the browser does not understand.
    pub async fn look(&self, width: u32, height: u32, is_dark: bool) {
        let size = serde_json::json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.command("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = if is_dark { "dark" } else { "light" };
        let media = serde_json::json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.command("Emulation.setEmulatedMedia", media).await;
    }

    async fn command(&self, name: &str, parameters: serde_json::Value) {
        let url = format!("{}/session/{}/goog/cdp/execute", self.url, self.driver.session_id());
        let body = serde_json::json!({ "cmd": name, "params": parameters }).to_string();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let answer = http.post(url).body(body).send().await.expect("an answer of chromedriver");
        assert!(answer.status().is_success(), "{name}: {}", answer.text().await.unwrap_or_default());
    }

    /// Closes the browser.
    ///
    /// # Panics
    /// When it does not close.
    pub async fn close(mut self) {
        self.driver.clone().quit().await.expect("a browser that closes");
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Chromedriver takes the browser along.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
