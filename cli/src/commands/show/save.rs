//! `show --save`: pictures and files of messages, written into a folder. Nothing that is there is replaced.

use std::fs;
use std::path::Path;

use super::part::Part;
use crate::files;
use crate::open::Tool;
use crate::sizes;
use scrollback::{Block, Error, Ingest, Message, Result, Summary};
use serde::Serialize;

/// A file that was written, or that was there with this content.
#[derive(Debug, Serialize)]
struct Saved {
    sequence: u64,
    file: String,
    bytes: u64,
}

/// Writes what the messages of a part hold besides text, and the files beside the session that they name.
pub(super) fn save(
    store: &dyn Ingest,
    summary: &Summary,
    part: Part,
    folder: &Path,
    tool: &mut Tool,
) -> Result<()> {
    files::make_folder(folder)?;
    let files = match summary.attachment_count {
        0 => Vec::new(),
        _ => store.attachments(&summary.key)?,
    };
    let mut saved = Vec::new();
    if tool.is_on_server() && !files.is_empty() {
        tool.out.notice(
            "files beside sessions of a store on a server are left out; `export` writes them",
        );
    }
    let mut skip = part.skip;
    for shown in part.view(store, &summary.key) {
        let shown = shown?;
        let sequence = shown.record.sequence;
        let mut number = 0;
        for message in shown.messages.iter().skip(std::mem::take(&mut skip)) {
            for (ending, bytes) in message.content.iter().flat_map(contents) {
                number += 1;
                let name = format!("{sequence}-{number}.{ending}");
                saved.push(write(folder, &name, &bytes, sequence)?);
            }
            let text = said(message);
            for file in files.iter().filter(|file| names(&text, &file.name)) {
                let mut bytes = Vec::new();
                let Some(store) = tool.file_store() else {
                    continue;
                };
                store.read_attachment(&summary.key, &file.name, &mut bytes)?;
                // A name from a session may lead elsewhere, or be that of another file here.
                let name = format!("{sequence}-{}", safe(last_name(&file.name)));
                saved.push(write(folder, &name, &bytes, sequence)?);
            }
        }
    }
    if tool.out.is_json() {
        return saved.iter().try_for_each(|one| tool.out.json_line(one));
    }
    if saved.is_empty() {
        tool.out
            .notice("there is no picture and no file in what was asked for");
    }
    saved.iter().try_for_each(|one| {
        let line = format!("{}  {}", tool.out.field(&one.file), sizes::bytes(one.bytes));
        tool.out.line(&line)
    })
}

/// What a block holds besides text: the ending of a file's name, and its bytes.
fn contents(block: &Block) -> Vec<(String, Vec<u8>)> {
    match block {
        Block::Image {
            media_type, data, ..
        } => {
            let bytes = data.as_deref().and_then(decoded);
            let ending = ending_of(media_type.as_deref().unwrap_or_default());
            bytes.map(|bytes| (ending, bytes)).into_iter().collect()
        }
        Block::ToolResult { images, .. } => images.iter().flat_map(contents).collect(),
        Block::Other { json } => document(json.as_str()).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// A document within a message, as providers put it: a `source` with `data` in base64.
fn document(json: &str) -> Option<(String, Vec<u8>)> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    let source = value.get("source").unwrap_or(&value);
    let data = source
        .get("data")
        .or_else(|| source.get("file_data"))?
        .as_str()?;
    // A data URL says its type itself.
    let (head, data) = data.split_once(";base64,").unwrap_or(("", data));
    let kind = source.get("media_type").or_else(|| source.get("mime_type"));
    let kind = kind.and_then(|kind| kind.as_str());
    let kind = kind.unwrap_or_else(|| head.strip_prefix("data:").unwrap_or_default());
    Some((ending_of(kind), decoded(data)?))
}

fn ending_of(media_type: &str) -> String {
    let kind = media_type.rsplit('/').next().unwrap_or_default();
    let kind = kind.split(['+', ';']).next().unwrap_or_default();
    match safe(kind).as_str() {
        "" => "bin".to_owned(),
        "jpeg" => "jpg".to_owned(),
        "plain" => "txt".to_owned(),
        kind => kind.to_owned(),
    }
}

/// All that a message says, to find names of files in.
fn said(message: &Message) -> String {
    format!("{}\n{}", message.plain_text(), message.tool_text())
}

/// Whether a text names a file that lies beside the session.
fn names(text: &str, file: &str) -> bool {
    let name = last_name(file);
    name.len() >= 5 && text.contains(name)
}

fn last_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A name that stays in its folder, and is nothing special there.
fn safe(name: &str) -> String {
    let keep = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().take(100).map(keep).collect();
    name.trim_start_matches('.').to_owned()
}

/// Writes a file that is not there yet; one of this content may be.
fn write(folder: &Path, name: &str, bytes: &[u8], sequence: u64) -> Result<Saved> {
    let path = folder.join(name);
    let saved = Saved {
        sequence,
        file: path.display().to_string(),
        bytes: bytes.len() as u64,
    };
    if fs::symlink_metadata(&path).is_ok() {
        return match fs::read(&path) {
            // From an earlier run into the same folder.
            Ok(there) if there == bytes => Ok(saved),
            _ => Err(Error::FileExists { path }),
        };
    }
    files::write(folder, name, bytes, false)?;
    Ok(saved)
}

/// The bytes of base64 text, with or without its end; `None` if it is none.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            // The alphabet for URLs too, since nobody says which of the two was used.
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        held = (held << 6 | u32::from(six)) & 0xff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).unwrap_or_default());
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_and_anything_else_is_not() {
        for (text, bytes) in [
            ("aGk=", Some(&b"hi"[..])),
            ("aGkh", Some(b"hi!")),
            ("aG\nk", Some(b"hi")),
            ("_-8=", Some(&[0xff, 0xef])),
            ("", Some(b"")),
            ("a*", None),
        ] {
            assert_eq!(decoded(text).as_deref(), bytes, "{text}");
        }
    }

    #[test]
    fn names_stay_in_their_folder() {
        for (name, expected) in [
            ("a.txt", "a.txt"),
            ("../../etc", "_.._etc"),
            (".bashrc", "bashrc"),
            ("a\u{202e}\n/b", "a___b"),
        ] {
            assert_eq!(safe(name), expected);
        }
        assert_eq!(ending_of("image/svg+xml"), "svg");
        assert_eq!(ending_of("../x"), "x");
        assert_eq!(ending_of(""), "bin");
    }

    #[test]
    fn nothing_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a", b"1", 0).unwrap();
        write(folder.path(), "a", b"1", 0).unwrap();
        let again = write(folder.path(), "a", b"2", 0);
        assert!(matches!(again, Err(Error::FileExists { .. })));
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"1");
    }

    #[test]
    fn documents_are_found() {
        let (ending, bytes) = document(
            r#"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"aGk="}}"#,
        )
        .unwrap();
        assert_eq!((ending.as_str(), &*bytes), ("pdf", &b"hi"[..]));
        assert_eq!(
            document(r#"{"file_data":"data:text/plain;base64,aGk="}"#)
                .unwrap()
                .0,
            "txt"
        );
        assert!(document("{}").is_none() && document("[").is_none());
    }
}
