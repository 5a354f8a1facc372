//! A disk in memory. It remembers what was written and flushed, and fails where it is told to.

use std::io;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use redb::{BackendError, StorageBackend};

/// One thing that was done to the disk.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Write(usize, Vec<u8>),
    Length(usize),
    Flush,
}

impl Operation {
    /// Does it.
    pub(crate) fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(offset, bytes) => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(bytes);
            }
            Self::Length(length) => content.resize(*length, 0),
            Self::Flush => {}
        }
    }
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whatever it is, with nothing done. A flush that fails loses what was to be flushed, though it
    /// is read as if it were there: so do the systems that there are.
    Error,
    /// Writes and growth: the disk is full.
    Full,
    /// Writes, after the first half of the bytes.
    Short,
}

/// A fault to come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// The first operation that it can hit, counted from when it is set.
    pub at: usize,
    pub kind: Kind,
    /// Whether everything fails from then on that can fail in this way.
    pub lasts: bool,
}

/// What an operation is, as far as faults tell them apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Write,
    Grow,
    Flush,
    Other,
}

/// What there is, and what was ever done.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// What is read.
    pub content: Vec<u8>,
    /// What a power cut leaves for sure.
    pub durable: Vec<u8>,
    pub pending: Vec<Operation>,
    /// Everything since the disk was made; not kept while faults are set.
    pub log: Vec<Operation>,
    pub operations: usize,
    /// How many of them failed.
    pub failed: usize,
    pub flush_failed: bool,
    fault: Option<Fault>,
}

/// The disk, as each of those who use it holds it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// One that has this on it.
    pub(crate) fn of(content: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State {
            durable: content.clone(),
            content,
            ..State::default()
        })))
    }

    /// Looks into it.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is read from it.
    pub(crate) fn content(&self) -> Vec<u8> {
        self.with(|state| state.content.clone())
    }

    /// What a power cut leaves for sure.
    pub(crate) fn durable(&self) -> Vec<u8> {
        self.with(|state| state.durable.clone())
    }

    /// Counts operations from here on, and fails as told.
    pub(crate) fn set(&self, fault: Option<Fault>) {
        self.with(|state| {
            state.operations = 0;
            state.fault = fault;
        });
    }

    /// Does an operation, unless it is to fail.
    fn run<T>(
        &self,
        class: Class,
        done: impl FnOnce(&mut State) -> io::Result<T>,
        half: impl FnOnce(&mut State),
    ) -> io::Result<T> {
        self.with(|state| {
            let number = state.operations;
            state.operations += 1;
            let hit = state.fault.filter(|fault| {
                number >= fault.at
                    && match fault.kind {
                        Kind::Error => true,
                        Kind::Full => matches!(class, Class::Write | Class::Grow),
                        Kind::Short => class == Class::Write,
                    }
            });
            let Some(fault) = hit else {
                return done(state);
            };
            if !fault.lasts {
                state.fault = None;
            }
            state.failed += 1;
            match fault.kind {
                Kind::Error => {
                    if class == Class::Flush {
                        state.flush_failed = true;
                        state.pending.clear();
                    }
                    Err(io::Error::other("the disk does not answer"))
                }
                Kind::Full => Err(io::ErrorKind::StorageFull.into()),
                Kind::Short => {
                    half(state);
                    Err(io::ErrorKind::WriteZero.into())
                }
            }
        })
    }

    fn lock<T>(&self, answer: T) -> Result<T, BackendError> {
        self.run(Class::Other, |_| Ok(answer), |_| ())
            .map_err(BackendError::Io)
    }
}

fn change(state: &mut State, operation: Operation) {
    operation.apply(&mut state.content);
    if matches!(operation, Operation::Flush) {
        let State {
            pending, durable, ..
        } = state;
        for one in pending.drain(..) {
            one.apply(durable);
        }
    } else {
        state.pending.push(operation.clone());
    }
    if state.fault.is_none() && state.failed == 0 {
        state.log.push(operation);
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.run(Class::Other, |state| Ok(state.content.len() as u64), |_| ())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        let read = |state: &mut State| {
            let found = state.content.get(start..start + out.len());
            out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        };
        self.run(Class::Other, read, |_| ())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).unwrap();
        let grows = self.with(|state| length > state.content.len());
        let class = if grows { Class::Grow } else { Class::Other };
        let set = |state: &mut State| {
            change(state, Operation::Length(length));
            Ok(())
        };
        self.run(class, set, |_| ())
    }

    fn sync_data(&self) -> io::Result<()> {
        let flush = |state: &mut State| {
            change(state, Operation::Flush);
            Ok(())
        };
        self.run(Class::Flush, flush, |_| ())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let write = |state: &mut State| {
            change(state, Operation::Write(offset, data.to_vec()));
            Ok(())
        };
        let half = |state: &mut State| {
            let half = data[..data.len() / 2].to_vec();
            change(state, Operation::Write(offset, half));
        };
        self.run(Class::Write, write, half)
    }

    // One process alone: every lock is free.
    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        self.lock(true)
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        self.lock(true)
    }

    fn lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        self.lock(())
    }

    fn lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        self.lock(())
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }

    fn query_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        self.lock(false)
    }
}
