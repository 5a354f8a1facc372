//! placeholder
use super::{Candidate, Described, Dialect, Recognition, Sidecar};
use crate::model::message::Message;
use std::path::Path;
/// placeholder
#[derive(Debug)]
pub(crate) struct Codex;
impl Dialect for Codex {
    fn agent(&self) -> &'static str {
        "codex"
    }
    fn recognise(&self, _candidate: &Candidate<'_>) -> Recognition {
        Recognition::No
    }
    fn session_id(&self, _candidate: &Candidate<'_>) -> String {
        String::new()
    }
    fn sidecar(&self, _path: &Path) -> Option<Sidecar> {
        None
    }
    fn describe<'a>(&self, _line: &'a [u8]) -> Described<'a> {
        unimplemented!()
    }
    fn messages(&self, _line: &[u8]) -> Vec<Message> {
        Vec::new()
    }
}
