//! What nothing can beat that has to do the same and more: the bytes compressed, their headers parsed,
//! their bytes copied.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::Outcome;

/// Bytes that one thread compresses at a time: as `zstd -1 -T2` cuts its input.
const JOB_BYTES: usize = 2 * 1024 * 1024;

/// Compresses all files into one, a frame for every two megabytes, as threads have them ready.
pub(crate) fn zstd(files: &[PathBuf], path: &Path, threads: usize) -> Outcome<Duration> {
    remove(path)?;
    let start = Instant::now();
    let out = Mutex::new(File::create(path)?);
    let next = AtomicUsize::new(0);
    let work = || -> std::io::Result<()> {
        let mut compressor = zstd::bulk::Compressor::new(1)?;
        let mut input = Vec::new();
        loop {
            let file = files.get(next.fetch_add(1, Ordering::Relaxed));
            if let Some(file) = file {
                File::open(file)?.read_to_end(&mut input)?;
            }
            if input.len() >= JOB_BYTES || file.is_none() {
                let packed = compressor.compress(&input)?;
                let mut out = out.lock().map_err(|_| std::io::ErrorKind::Other)?;
                out.write_all(&packed)?;
                input.clear();
            }
            if file.is_none() {
                return Ok(());
            }
        }
    };
    on_threads(threads, work)?;
    out.into_inner()?.sync_data()?;
    Ok(start.elapsed())
}

/// Whether there is the tool `zstd`.
pub(crate) fn has_zstd_tool() -> bool {
    let mut tool = Command::new("zstd");
    let tool = tool.arg("--version").stdout(Stdio::null()).status();
    tool.is_ok_and(|status| status.success())
}

/// Compresses one file with the tool, with two threads.
pub(crate) fn zstd_tool(file: &Path, path: &Path) -> Outcome<Duration> {
    remove(path)?;
    let start = Instant::now();
    let mut tool = Command::new("zstd");
    tool.args(["-q", "-1", "-T2"]).arg(file).arg("-o").arg(path);
    if !tool.status()?.success() {
        return Err("zstd failed".into());
    }
    File::open(path)?.sync_data()?;
    Ok(start.elapsed())
}

/// What an importer has to know of a line, at least.
#[derive(Debug, Deserialize)]
struct Header<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    uuid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    cwd: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Inner<'a>>,
    #[serde(borrow)]
    payload: Option<Inner<'a>>,
}

/// What an importer has to know of the message in a line, at least.
#[derive(Debug, Deserialize)]
struct Inner<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    role: Option<Cow<'a, str>>,
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
}

impl Header<'_> {
    /// How much is known: so that nothing of it is left out.
    fn known(&self) -> usize {
        let inner = |inner: &Option<Inner<'_>>| {
            let fields = inner.as_ref().map(|i| [&i.kind, &i.role, &i.model]);
            fields.map_or(0, |fields| fields.into_iter().flatten().count())
        };
        let fields = [&self.kind, &self.timestamp, &self.uuid, &self.cwd];
        fields.into_iter().flatten().count() + inner(&self.message) + inner(&self.payload)
    }
}

/// Reads all files with all cores, splits them into lines and parses the headers.
pub(crate) fn headers(files: &[PathBuf]) -> Outcome<Duration> {
    let start = Instant::now();
    let next = AtomicUsize::new(0);
    let known = AtomicUsize::new(0);
    let work = || -> std::io::Result<()> {
        let mut input = Vec::new();
        let mut sum = 0;
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            input.clear();
            File::open(file)?.read_to_end(&mut input)?;
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', &input) {
                let line = input.get(start..end).unwrap_or_default();
                sum += serde_json::from_slice::<Header<'_>>(line).map_or(0, |h| h.known());
                start = end + 1;
            }
        }
        known.fetch_add(sum, Ordering::Relaxed);
        Ok(())
    };
    on_threads(
        thread::available_parallelism().map_or(1, NonZero::get),
        work,
    )?;
    if known.into_inner() == 0 {
        return Err("no header was parsed".into());
    }
    Ok(start.elapsed())
}

/// Reads all files with all cores, and hashes each as the digest chain of its session is: a SHA-256 of each
/// line, and one of that and of the chain before it.
pub(crate) fn hashed(files: &[PathBuf]) -> Outcome<Duration> {
    let chain = |input: &[u8]| {
        let mut digest = [0; 32];
        for line in input.split_inclusive(|byte| *byte == b'\n') {
            let mut link = Sha256::new();
            link.update(digest);
            link.update(Sha256::digest(line));
            digest = link.finalize().into();
        }
        usize::from(digest[0])
    };
    each_read(files, chain)
}

/// Reads all files with all cores.
pub(crate) fn read(files: &[PathBuf]) -> Outcome<Duration> {
    each_read(files, <[u8]>::len)
}

fn each_read(files: &[PathBuf], work: impl Fn(&[u8]) -> usize + Sync) -> Outcome<Duration> {
    let start = Instant::now();
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let each = || -> std::io::Result<()> {
        let mut input = Vec::new();
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            input.clear();
            File::open(file)?.read_to_end(&mut input)?;
            done.fetch_add(work(&input), Ordering::Relaxed);
        }
        Ok(())
    };
    on_threads(
        thread::available_parallelism().map_or(1, NonZero::get),
        each,
    )?;
    if done.into_inner() == 0 {
        return Err("nothing was read".into());
    }
    Ok(start.elapsed())
}

/// Copies all files into one.
pub(crate) fn copy(files: &[PathBuf], path: &Path) -> Outcome<Duration> {
    remove(path)?;
    let start = Instant::now();
    let mut out = File::create(path)?;
    for file in files {
        std::io::copy(&mut File::open(file)?, &mut out)?;
    }
    out.sync_data()?;
    Ok(start.elapsed())
}

fn on_threads(threads: usize, work: impl Fn() -> std::io::Result<()> + Sync) -> Outcome {
    thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        for one in all {
            one.join().map_err(|_| "a thread panicked")??;
        }
        Ok(())
    })
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Outcome {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
