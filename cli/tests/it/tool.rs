//! The built tool in a clean environment.

use std::process::{Command, Output};

use crate::harness::Home;

impl Home {
    /// The tool, with this home's store, nothing of the caller's environment, and a fixed clock.
    pub(crate) fn command(&self) -> Command {
        self.clean(env!("CARGO_BIN_EXE_scrollback"))
    }

    /// The tool on a terminal that `script` lends, with arguments as a shell takes them; without colours, and without
    /// a pager, which would draw by itself.
    pub(crate) fn on_terminal(&self, arguments: &str) -> Command {
        let line = format!("\"$TOOL\" {arguments}");
        let mut script = self.clean("script");
        script
            .args(["-q", "-e", "-c", &line, "/dev/null"])
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .env("PAGER", "")
            .env("TOOL", env!("CARGO_BIN_EXE_scrollback"));
        script
    }

    fn clean(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.path())
            .env("SCROLLBACK_STORE", self.store_path())
            .env("SCROLLBACK_NOW", "2026-06-01T12:00:00Z")
            .current_dir(self.path());
        command
    }

    /// Runs the tool.
    #[must_use]
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs the tool, which has to succeed, and gives its standard output.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {:?}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}
