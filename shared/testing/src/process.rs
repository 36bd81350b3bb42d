//! A service in a process of its own.

#![allow(clippy::expect_used, reason = "a test without its service can only stop")]

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use tempfile::TempDir;

/// A service in a process of its own, killed when this value goes.
#[derive(Debug)]
pub struct ServiceProcess {
    child: Child,
    log: PathBuf,
    _folder: TempDir,
}

impl ServiceProcess {
    /// Runs `serve` and waits until the service says that it listens.
    ///
    /// # Panics
    /// When it ends before that, with its log.
    pub fn start(mut serve: Command) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("log");
        let file = File::create(&log).expect("a file for the log");
        let mut child =
            serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).spawn().expect("a program that starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("output that is text");
        let process = Self { child, log, _folder: folder };
        assert!(line.contains("listening"), "the service does not start: {line}{}", process.log());
        process
    }

    /// What it has written to its log by now.
    ///
    /// # Panics
    /// When the log is not text.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("a log that is text")
    }

    /// Ends it without warning.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(&mut self) {
        self.child.kill().expect("a process that can be killed");
        self.child.wait().expect("a process that ends");
    }

    /// Asks it to end (SIGTERM), waits for it, and gives its status and its log.
    ///
    /// # Panics
    /// When it cannot be asked.
    pub fn stop(mut self) -> (ExitStatus, String) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().expect("the command kill");
        assert!(asked.success());
        let status = self.child.wait().expect("a process that ends");
        (status, self.log())
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
