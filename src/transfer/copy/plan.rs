//! What becomes of one session in the other store: nothing, a new one, or what it lacks.

use crate::codec::session_row::SessionRow;
use crate::model::error::{Error, Result};
use crate::model::key::SessionKey;
use crate::store::{Beside, Carried, Destination, IngestStore, Sources};

/// A session that is to be written.
#[derive(Debug)]
pub(super) struct Member {
    /// The number that it has where it comes from.
    pub number: u64,
    /// The session.
    pub carried: Carried,
    /// Over all of its records.
    pub digest: [u8; 32],
    /// Where it goes.
    pub place: Destination,
    /// Its row there, as it was seen.
    pub there: Option<SessionRow>,
}

/// What is to be done with a content of an id.
#[derive(Debug)]
pub(super) enum Step {
    /// It is there, under this number.
    Nothing(u64),
    /// It is written.
    Write(Box<Member>),
}

/// A session with the other contents of its id: they are written together, since names pass between them.
#[derive(Debug)]
pub(super) struct Group {
    /// The number of the session that has the plain id, where it comes from.
    pub head: u64,
    /// The plain id.
    pub key: SessionKey,
    /// Its contents, by their numbers; the one that has the plain id is the last.
    pub steps: Vec<(u32, Step)>,
}

impl Group {
    /// How many of its sessions are there as they are.
    pub(super) fn unchanged(&self) -> u64 {
        let steps = self.steps.iter();
        let there = steps.filter(|(_, step)| matches!(step, Step::Nothing(_)));
        there.count() as u64
    }

    /// Whether all of it is there.
    pub(super) fn is_there(&self) -> bool {
        self.unchanged() == self.steps.len() as u64
    }

    /// The sessions that are to be written.
    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.steps.iter().filter_map(|(_, step)| match step {
            Step::Write(member) => Some(&**member),
            Step::Nothing(_) => None,
        })
    }

    /// Packed bytes that it has in memory.
    pub(super) fn bytes(&self) -> u64 {
        let segments = self.members().flat_map(|member| &member.carried.segments);
        segments.map(|sealed| sealed.bytes.len() as u64).sum()
    }
}

/// What a plan comes to.
#[derive(Debug)]
pub(super) enum Planned {
    /// To be done.
    Group(Group),
    /// Not to be done, for a reason.
    Refused(SessionKey, String),
    /// The session has gone meanwhile.
    Gone,
}

/// A content of an id, in one of the stores.
type Content = (u32, u64, Beside);

/// What is to be done with a session that has its plain id, and with the other contents of that.
pub(super) fn group(
    (from, to): (&dyn IngestStore, &dyn IngestStore),
    head: u64,
) -> Result<Planned> {
    let (source, target) = (from.sources(), to.sources());
    let Some((_, row)) = source.beside(&[head])?.pop() else {
        return Ok(Planned::Gone);
    };
    let key = row.key()?;
    let mut here = contents(source, &key, head, row)?;
    // The others first: a name is free before the next one gets it.
    here.sort_by_key(|(content, _, beside)| (beside.row.is_listed(), *content));
    let mut there = Vec::new();
    if let Some(number) = target.number_of(&key)?
        && let Some((_, beside)) = target.beside(&[number])?.pop()
    {
        there = contents(target, &key, number, beside)?;
    }
    let has = |all: &[Content], content| all.iter().any(|(other, ..)| *other == content);
    if there.iter().any(|(content, ..)| !has(&here, *content)) {
        let reason = "the other store has contents of this id that this one lacks";
        return Ok(Planned::Refused(key, reason.to_owned()));
    }
    let mut steps = Vec::new();
    for (content, number, beside) in here {
        let other = there.iter().position(|(other, ..)| *other == content);
        let other = other.map(|at| there.swap_remove(at));
        let other = other.map(|(_, number, beside)| (number, beside));
        match member((source, target), (number, beside), other)? {
            Decided::Step(step) => steps.push((content, step)),
            Decided::Refused(reason) => return Ok(Planned::Refused(key, reason)),
            Decided::Gone => return Ok(Planned::Gone),
        }
    }
    Ok(Planned::Group(Group { head, key, steps }))
}

/// All contents of an id, by the session that has it.
fn contents(
    sources: &dyn Sources,
    key: &SessionKey,
    number: u64,
    beside: Beside,
) -> Result<Vec<Content>> {
    if beside.row.contents <= 1 {
        return Ok(vec![(beside.row.content, number, beside)]);
    }
    let numbers: Vec<u64> = sources
        .contents(key)?
        .iter()
        .map(|(_, number)| *number)
        .collect();
    let all = sources.beside(&numbers)?.into_iter();
    Ok(all
        .map(|(number, beside)| (beside.row.content, number, beside))
        .collect())
}

enum Decided {
    Step(Step),
    Refused(String),
    Gone,
}

fn member(
    (source, target): (&dyn Sources, &dyn Sources),
    (number, beside): (u64, Beside),
    there: Option<(u64, Beside)>,
) -> Result<Decided> {
    if let Some((number, other)) = &there
        && other.is_as(&beside)
    {
        return Ok(Decided::Step(Step::Nothing(*number)));
    }
    let Some(carried) = source.carried(number)? else {
        return Ok(Decided::Gone);
    };
    // Up to where the other one goes, too: its chain is compared with this one's at that place.
    let end = there.as_ref().map_or(0, |(_, other)| other.row.next);
    let digests = match carried.digests(end) {
        Err(Error::Corrupt { detail, .. }) => {
            return Ok(Decided::Refused(format!("it is damaged: {detail}")));
        }
        digests => digests?,
    };
    let other = there.as_ref().map(|(number, _)| *number);
    // A path leads to one session: writing it would take the other's place in imports away.
    if let Some(path) = taken(target, &carried.beside, other)? {
        let reason = format!("its file `{path}` is another session's in the other store");
        return Ok(Decided::Refused(reason));
    }
    let Some((other, beside)) = there else {
        return Ok(step(number, carried, digests.all, None));
    };
    let (new, old) = (&carried.beside.row, &beside.row);
    // The lines there are this one's beginning, understood by the same version: only what is behind
    // them is written. Else all of it, if the lines that are there are among these.
    let is_kept = new.reader == old.reader
        && (new.chain.from, new.chain.rewrites) == (old.chain.from, old.chain.rewrites)
        && digests.before.differs_from(&old.chain).is_none()
        && old.next <= new.next;
    let from = if is_kept {
        old.next
    } else {
        let Some(stored) = target.carried(other)? else {
            return Ok(Decided::Gone);
        };
        if !stored.is_before(&carried)? {
            let reason = "it has other lines in the other store, or more of them";
            return Ok(Decided::Refused(reason.to_owned()));
        }
        0
    };
    let there = Some((other, from, beside.row));
    Ok(step(number, carried, digests.all, there))
}

fn step(
    number: u64,
    carried: Carried,
    digest: [u8; 32],
    there: Option<(u64, u64, SessionRow)>,
) -> Decided {
    let place = Destination {
        number: there.as_ref().map(|(number, ..)| *number),
        from: there.as_ref().map_or(0, |(_, from, _)| *from),
    };
    let there = there.map(|(.., row)| row);
    Decided::Step(Step::Write(Box::new(Member {
        number,
        carried,
        digest,
        place,
        there,
    })))
}

/// A file that the session was imported from and that is another's in the other store.
fn taken(target: &dyn Sources, beside: &Beside, number: Option<u64>) -> Result<Option<String>> {
    for source in &beside.sources {
        let is_other = |other: &crate::store::Source| {
            other.generation == source.generation && Some(other.row.session) != number
        };
        if target.generations(&source.path)?.iter().any(is_other) {
            return Ok(Some(String::from_utf8_lossy(&source.path).into_owned()));
        }
    }
    Ok(None)
}
