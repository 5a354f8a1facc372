//! The processes of a run: started, killed at random, and started again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::folder::{Folder, SHRINKING, shrinking};
use super::journal::{Entry, Journal};
use super::random::Random;
use super::roles::{DIED, stop_file};
use crate::harness::Home;

/// What a place in the crew does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// This test binary, in a role.
    Role(&'static str, usize),
    /// The tool, one command after the other.
    Tool(usize),
}

/// What happened in a run.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) started: u64,
    pub(super) killed: u64,
    /// Writers among the killed.
    pub(super) writers_killed: u64,
    /// Commands of the tool that were not killed, by name.
    pub(super) commands: std::collections::BTreeMap<&'static str, u64>,
}

struct Member {
    job: Job,
    child: Child,
    /// The command, and when it was started, if it is the tool.
    command: &'static str,
    began: Instant,
    errors: PathBuf,
}

/// A run of all of them on one store.
pub(super) struct Crew<'h> {
    home: &'h Home,
    logs: PathBuf,
    random: Random,
    members: Vec<Member>,
    pub(super) count: Count,
}

impl<'h> Crew<'h> {
    pub(super) fn start(home: &'h Home, logs: &Path, seed: u64, jobs: &[Job]) -> Self {
        let mut crew = Self {
            home,
            logs: logs.to_owned(),
            random: Random(seed),
            members: Vec::new(),
            count: Count::default(),
        };
        for job in jobs {
            let member = crew.member(*job);
            crew.members.push(member);
        }
        crew
    }

    fn member(&mut self, job: Job) -> Member {
        self.count.started += 1;
        let (mut command, name) = match job {
            Job::Role(role, slot) => {
                let seed = self.random.bits();
                (role_command(self.home, &self.logs, role, slot, seed), role)
            }
            Job::Tool(_) => self.tool(),
        };
        let errors = self.logs.join(format!("errors-{}", self.count.started));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(&errors).unwrap());
        Member {
            job,
            child: command.spawn().unwrap(),
            command: name,
            began: Instant::now(),
            errors,
        }
    }

    /// A command of the tool, chosen at random.
    fn tool(&mut self) -> (Command, &'static str) {
        let shrinking = shrinking(self.random.below(SHRINKING));
        let out = format!("out-{}", self.count.started);
        let words: &[&str] = match self.random.below(14) {
            0..=4 => &["import", "in", "--json"],
            5..=6 => &["list", "--json"],
            7 => &["verify"],
            8 => &["export", "--all", "--to", &out],
            9 => &["cleanup", "--older-than", "2021-01-01"],
            10 => &["stats"],
            11..=12 => &["truncate", &shrinking, "--keep", "3"],
            _ => &["compact", "--all", "--archive", super::ARCHIVE],
        };
        let name = NAMES.into_iter().find(|name| *name == words[0]).unwrap();
        let mut command = self.home.command();
        command.args(words);
        (command, name)
    }

    /// Lets them work for a while: whoever ends is replaced, and now and then one is killed.
    pub(super) fn work(&mut self, time: Duration, folder: &mut Folder) {
        let began = Instant::now();
        let mut next_kill = Duration::from_millis(300);
        while began.elapsed() < time {
            std::thread::sleep(Duration::from_millis(4));
            folder.grow(&mut self.random);
            if began.elapsed() >= next_kill {
                next_kill += Duration::from_millis(40 + self.random.below(160) as u64);
                let chosen = self.random.below(self.members.len());
                self.kill(chosen);
            }
            for place in 0..self.members.len() {
                if self.has_ended(place) {
                    self.members[place] = self.member(self.members[place].job);
                }
            }
        }
    }

    fn kill(&mut self, place: usize) {
        let member = &mut self.members[place];
        if member.child.try_wait().unwrap().is_some() {
            return;
        }
        member.child.kill().unwrap();
        let status = member.child.wait().unwrap();
        if status.code().is_some() {
            // It was faster.
            self.check(place, status);
        } else {
            self.count_killed(place);
        }
        self.members[place] = self.member(self.members[place].job);
    }

    fn count_killed(&mut self, place: usize) {
        self.count.killed += 1;
        let is_writer = matches!(self.members[place].job, Job::Role("writer", _));
        self.count.writers_killed += u64::from(is_writer);
    }

    fn has_ended(&mut self, place: usize) -> bool {
        let ended = self.members[place].child.try_wait().unwrap();
        if let Some(status) = ended {
            self.check(place, status);
        }
        ended.is_some()
    }

    /// Nobody who was not killed may fail.
    fn check(&mut self, place: usize, status: std::process::ExitStatus) {
        if status.code() == Some(DIED) {
            self.count_killed(place);
            return;
        }
        let member = &self.members[place];
        let said = fs::read_to_string(&member.errors).unwrap_or_default();
        assert!(
            status.success(),
            "{:?}, {}: {status}\n{said}",
            member.job,
            member.command
        );
        if let Job::Tool(slot) = member.job {
            *self.count.commands.entry(member.command).or_default() += 1;
            let mut journal = Journal::open(&super::journal::path(&self.logs, "tool", slot));
            let what = format!("tool-{}", member.command);
            journal.add(&Entry::Took(what, member.began.elapsed()));
        }
        fs::remove_file(&member.errors).unwrap();
    }

    /// Tells them to stop, and waits until all have ended well.
    pub(super) fn stop(mut self) -> Count {
        File::create(stop_file(&self.logs)).unwrap();
        for place in 0..self.members.len() {
            let status = self.members[place].child.wait().unwrap();
            self.check(place, status);
        }
        std::mem::take(&mut self.count)
    }
}

impl Drop for Crew<'_> {
    fn drop(&mut self) {
        // After a failure nobody is left behind.
        for member in &mut self.members {
            let _ended = member.child.kill();
            let _status = member.child.wait();
        }
    }
}

/// This test binary, in a role.
pub(super) fn role_command(
    home: &Home,
    logs: &Path,
    role: &str,
    slot: usize,
    seed: u64,
) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "many_processes::role",
            "--ignored",
            "--nocapture",
        ])
        .env(super::ROLE, role)
        .env(super::SLOT, slot.to_string())
        .env(super::LOGS, logs)
        .env(super::STORE, home.store_path())
        .env(super::SEED, seed.to_string());
    command
}

/// The commands of the tool.
const NAMES: [&str; 8] = [
    "import", "list", "verify", "export", "cleanup", "stats", "truncate", "compact",
];
