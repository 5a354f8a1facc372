//! What of the library is public, read with `syn`: that it can grow without breaking anybody, and that
//! what calls give can be written as JSON. `a_list_of_it` prints all of it, to compare two trees.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::Ident;
use scrollback::jcode::{Entry, EntryKind, Repair};
use scrollback::provider::{
    Listing, MessageType, ProviderMessage, ProviderProblem, ProviderSession, ProviderSummary,
};
use scrollback::{
    Cursor, Error, Expect, ListQuery, MemoryStore, NewRecord, Role, ScanQuery, SessionKey,
    Store as _,
};
use syn::{
    Attribute, Fields, ImplItem, Item, ItemEnum, ItemStruct, ItemUse, TraitItem, Type, UseTree,
    Visibility,
};

use crate::source;

/// Enums that a store has to answer in full, so that a further variant has to break it.
const ANSWERED: [&str; 3] = ["Direction", "Expect", "NewRecord"];

/// Types that only go in; of `EntryKind` an `Entry` is written, and a `History` is handed back.
const NO_JSON: [&str; 12] = [
    "EntryKind",
    "Error",
    "History",
    "ImportOptions",
    "ListQuery",
    "Options",
    "PropertiesChange",
    "ReplayOptions",
    "Pattern",
    "ScanQuery",
    "SearchQuery",
    "Sort",
];

/// A file of the library, parsed.
struct Parsed {
    path: PathBuf,
    text: String,
    tree: syn::File,
}

/// Everything under `src` of a tree.
fn parsed(root: &Path) -> Vec<Parsed> {
    let mut files = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let tree = syn::parse_file(&text)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                files.push(Parsed { path, text, tree });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Ok(list) = attribute.meta.require_list() else {
            return false;
        };
        let tokens = list.tokens.to_string();
        (list.path.is_ident("doc") && tokens == "hidden")
            || (list.path.is_ident("cfg") && tokens.contains("test"))
    })
}

/// The names that the crate gives to others, each with where: `scrollback::report`, say.
fn given_away(files: &[Parsed], root: &Path) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let lib = file_of(files, &root.join("src/lib.rs"));
    collect(&lib.tree.items, "scrollback", files, root, &mut names);
    names
}

fn file_of<'f>(files: &'f [Parsed], path: &Path) -> &'f Parsed {
    files.iter().find(|file| file.path == path).unwrap()
}

fn collect(
    items: &[Item],
    place: &str,
    files: &[Parsed],
    root: &Path,
    names: &mut BTreeMap<String, String>,
) {
    for item in items {
        match item {
            Item::Use(ItemUse { vis, tree, .. }) if is_public(vis) => used(tree, place, names),
            Item::Mod(module) if is_public(&module.vis) && !is_hidden(&module.attrs) => {
                let place = format!("{place}::{}", module.ident);
                if let Some((_, items)) = &module.content {
                    collect(items, &place, files, root, names);
                } else {
                    let name = module.ident.to_string();
                    let file = root.join("src").join(name).join("mod.rs");
                    collect(
                        &file_of(files, &file).tree.items,
                        &place,
                        files,
                        root,
                        names,
                    );
                }
            }
            _ => {
                if let Some((name, vis)) = named(item)
                    && is_public(vis)
                {
                    names.insert(name.to_string(), place.to_owned());
                }
            }
        }
    }
}

fn used(tree: &UseTree, place: &str, names: &mut BTreeMap<String, String>) {
    match tree {
        UseTree::Path(path) => used(&path.tree, place, names),
        UseTree::Group(group) => group.items.iter().for_each(|tree| used(tree, place, names)),
        UseTree::Name(name) => {
            names.insert(name.ident.to_string(), place.to_owned());
        }
        UseTree::Rename(rename) => {
            names.insert(rename.ident.to_string(), place.to_owned());
        }
        UseTree::Glob(_) => panic!("{place} gives everything of a module away"),
    }
}

fn named(item: &Item) -> Option<(&Ident, &Visibility)> {
    Some(match item {
        Item::Struct(item) => (&item.ident, &item.vis),
        Item::Enum(item) => (&item.ident, &item.vis),
        Item::Trait(item) => (&item.ident, &item.vis),
        Item::Type(item) => (&item.ident, &item.vis),
        Item::Const(item) => (&item.ident, &item.vis),
        Item::Fn(item) => (&item.sig.ident, &item.vis),
        _ => return None,
    })
}

/// The text from a name on, up to what ends it, in one line.
fn spelled(file: &Parsed, name: &Ident) -> String {
    let text = &file.text[name.span().byte_range().start..];
    let mut depth = 0;
    let mut last = ' ';
    let end = text.find(|sign: char| {
        match sign {
            '(' | '[' | '<' => depth += 1,
            ')' | ']' => depth -= 1,
            '>' if last != '-' && last != '=' => depth -= 1,
            _ => {}
        }
        last = sign;
        depth < 0
            || (depth == 0 && matches!(sign, '{' | '}' | ';' | ','))
            || (depth == 0 && sign == '=')
    });
    let words: Vec<&str> = text[..end.unwrap_or(text.len())]
        .split_whitespace()
        .collect();
    words.join(" ")
}

/// The public items, one a line, with the place that they have for others.
fn listed(root: &Path) -> Vec<String> {
    let files = parsed(root);
    let names = given_away(&files, root);
    let mut lines = Vec::new();
    for file in &files {
        for item in &file.tree.items {
            if let Item::Impl(block) = item
                && block.trait_.is_none()
                && let Type::Path(path) = &*block.self_ty
                && let Some(last) = path.path.segments.last()
                && let Some(place) = names.get(&last.ident.to_string())
            {
                for item in &block.items {
                    let (kind, name) = match item {
                        ImplItem::Fn(call) if is_public(&call.vis) => ("fn", &call.sig.ident),
                        ImplItem::Const(it) if is_public(&it.vis) => ("const", &it.ident),
                        _ => continue,
                    };
                    let text = spelled(file, name);
                    lines.push(format!("{place}::{}::{text} [{kind}]", last.ident));
                }
            }
            let Some((name, vis)) = named(item) else {
                continue;
            };
            let Some(place) = names.get(&name.to_string()).filter(|_| is_public(vis)) else {
                continue;
            };
            of_item(file, item, &format!("{place}::{name}"), &mut lines);
        }
    }
    lines.sort();
    lines.dedup();
    lines
}

fn of_item(file: &Parsed, item: &Item, at: &str, lines: &mut Vec<String>) {
    let attributes = |list: &[Attribute]| {
        let mut said = String::new();
        if list.iter().any(|one| one.path().is_ident("non_exhaustive")) {
            said.push_str(" non_exhaustive");
        }
        said
    };
    match item {
        Item::Struct(one) => {
            lines.push(format!("{at} [struct{}]", attributes(&one.attrs)));
            for field in one.fields.iter().filter(|field| is_public(&field.vis)) {
                if let Some(name) = &field.ident {
                    lines.push(format!("{at}::{} [field]", spelled(file, name)));
                }
            }
        }
        Item::Enum(one) => {
            lines.push(format!("{at} [enum{}]", attributes(&one.attrs)));
            for variant in &one.variants {
                let mut line = format!("{at}::{}", variant.ident);
                for field in &variant.fields {
                    if let Some(name) = &field.ident {
                        let _ = write!(line, " {{{}}}", spelled(file, name));
                    }
                }
                lines.push(format!("{line} [variant]"));
            }
        }
        Item::Trait(one) => {
            lines.push(format!("{at} [trait]"));
            for item in &one.items {
                if let TraitItem::Fn(call) = item {
                    let kind = call
                        .default
                        .as_ref()
                        .map_or("required fn", |_| "provided fn");
                    lines.push(format!("{at}::{} [{kind}]", spelled(file, &call.sig.ident)));
                }
            }
        }
        Item::Fn(call) => {
            let (place, _) = at.rsplit_once("::").unwrap();
            lines.push(format!("{place}::{} [fn]", spelled(file, &call.sig.ident)));
        }
        Item::Type(_) => lines.push(format!("{at} [type]")),
        Item::Const(one) => lines.push(format!("{at}: {} [const]", spelled(file, &one.ident))),
        _ => {}
    }
}

/// Whether a type can be serialized: by a derive, or by an `impl` somewhere.
fn is_serialized(name: &str, attributes: &[Attribute], files: &[Parsed]) -> bool {
    let derived = attributes.iter().any(|attribute| {
        attribute.path().is_ident("derive")
            && attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.to_string().contains("Serialize"))
    });
    derived
        || files
            .iter()
            .any(|file| file.text.contains(&format!("impl Serialize for {name} {{")))
}

/// What is wrong with the public types.
fn complaints(files: &[Parsed], names: &BTreeMap<String, String>) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut look = |name: &Ident, attributes: &[Attribute], can_stay: bool| {
        let name = name.to_string();
        let grows = attributes
            .iter()
            .any(|one| one.path().is_ident("non_exhaustive"));
        if !grows && !can_stay {
            complaints.push(format!("`{name}` cannot get further fields or variants"));
        }
        if !NO_JSON.contains(&name.as_str()) && !is_serialized(&name, attributes, files) {
            complaints.push(format!("`{name}` cannot be written as JSON"));
        }
    };
    for file in files {
        for item in &file.tree.items {
            match item {
                Item::Struct(ItemStruct {
                    ident,
                    attrs,
                    vis,
                    fields,
                    ..
                }) if is_public(vis) && names.contains_key(&ident.to_string()) => {
                    // What shows no field, or a clock that is called, is no data.
                    let Fields::Named(fields) = fields else {
                        continue;
                    };
                    let shown = |field: &&syn::Field| is_public(&field.vis);
                    if fields.named.iter().any(|field| shown(&field)) && ident != "Stamps" {
                        look(ident, attrs, false);
                    }
                }
                Item::Enum(ItemEnum {
                    ident, attrs, vis, ..
                }) if is_public(vis) && names.contains_key(&ident.to_string()) => {
                    let asked = ANSWERED.contains(&ident.to_string().as_str());
                    let goes_in = ["Existing", "ExportFormat", "Compatibility"];
                    if asked || goes_in.iter().any(|name| ident == name) {
                        let grows = attrs
                            .iter()
                            .any(|one| one.path().is_ident("non_exhaustive"));
                        assert_eq!(grows, !asked, "{ident}");
                    } else {
                        look(ident, attrs, false);
                    }
                }
                _ => {}
            }
        }
    }
    complaints
}

#[test]
fn public_types_can_grow_and_be_written_as_json() {
    let root = source::root();
    let files = parsed(&root);
    let names = given_away(&files, &root);
    assert!(names.len() > 80, "only {} names are public", names.len());
    assert_eq!(complaints(&files, &names), [""; 0]);
}

#[test]
fn a_type_that_cannot_grow_is_found() {
    let text = "#[derive(Serialize)] pub struct A { pub b: u8 } #[non_exhaustive] pub enum B { C }";
    let file = Parsed {
        path: PathBuf::new(),
        text: text.to_owned(),
        tree: syn::parse_file(text).unwrap(),
    };
    let names = ["A", "B"].map(|name| (name.to_owned(), String::new()));
    let found = complaints(&[file], &names.into());
    let expected = [
        "`A` cannot get further fields or variants",
        "`B` cannot be written as JSON",
    ];
    assert_eq!(found, expected);
}

/// `SCROLLBACK_API_OF=FOLDER cargo test --test it api::a_list_of_it -- --ignored --nocapture`.
#[test]
#[ignore = "prints the public items of a tree, for people"]
fn a_list_of_it() {
    let root = std::env::var_os("SCROLLBACK_API_OF").map_or_else(source::root, PathBuf::from);
    let lines = listed(&root);
    assert!(lines.iter().any(|line| line.contains("Store::append(")));
    for line in lines {
        println!("{line}");
    }
}

/// A value as JSON, keys in their order.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

#[test]
fn what_providers_give_is_json_with_stable_names() {
    let mut message = ProviderMessage::new("s1", "m1", Role::User);
    message.raw_json = b"{\"a\":\xff}".to_vec();
    assert_eq!(
        json(&message),
        "{\"id\":\"m1\",\"session_id\":\"s1\",\"parent_id\":null,\"role\":\"user\",\
         \"message_type\":\"chat\",\"content\":\"\",\"blocks\":[],\"timestamp\":null,\"model\":null,\
         \"usage\":null,\"raw_json\":\"{\\\"a\\\":\u{fffd}}\"}"
    );
    let summary = ProviderSummary::new("codex", "s1");
    let session = ProviderSession::new(summary.clone(), Vec::new());
    let fields = "\"agent\":\"codex\",\"id\":\"s1\",\"parent\":null,\"project\":null,\
                  \"message_count\":0,\"unread_lines\":0,\"created_at\":null,\"updated_at\":null,\
                  \"branch\":null,\"first_prompt\":null,\"summary\":null";
    let expected = format!("{{{fields},\"version\":null,\"messages\":[]}}");
    assert_eq!(json(&session), expected);
    let error = Error::NotFound { wanted: "x".into() };
    let problem = ProviderProblem::new("codex", "a.jsonl", error);
    let expected = format!(
        "{{\"sessions\":[{{{fields}}}],\"problems\":[{{\"agent\":\"codex\",\"about\":\"a.jsonl\",\
         \"error\":\"no session `x`\"}}]}}"
    );
    assert_eq!(json(&Listing::new(vec![summary], vec![problem])), expected);
    assert_eq!(json(&MessageType::ToolUse), "\"tool-use\"");
}

#[test]
fn what_a_store_gives_is_json_with_stable_names() {
    let store = MemoryStore::default();
    let key = SessionKey::native("s").unwrap();
    let line = NewRecord::line(*b"{\"a\":\xff}");
    store.append(&key, Expect::Any, None, &[line]).unwrap();
    let page = store.scan(&key, &ScanQuery::default()).unwrap();
    assert_eq!(
        json(&page),
        "{\"records\":[{\"sequence\":0,\"kind\":\"malformed\",\"role\":null,\"time\":null,\
         \"messages\":0,\"line\":\"{\\\"a\\\":\u{fffd}}\\n\"}],\"next\":null}"
    );
    let mut page = store.list(&ListQuery::default()).unwrap();
    let cursor: Cursor = "5.7".parse().unwrap();
    page.sessions.clear();
    page.next = Some(cursor);
    assert_eq!(json(&page), "{\"sessions\":[],\"next\":\"5.7\"}");
    assert_eq!(serde_json::from_str::<Cursor>("\"5.7\"").unwrap(), cursor);
    assert!(serde_json::from_str::<Cursor>("\"5\"").is_err());
}

#[test]
fn what_recordings_give_is_json_with_stable_names() {
    let entry = Entry::from(EntryKind::ModeChange {
        mode: "<plan>".into(),
    });
    let line = String::from_utf8(entry.line()).unwrap();
    assert_eq!(json(&entry), line.trim_end());
    let repair = Repair::ResultMoved { id: "c1".into() };
    assert_eq!(json(&repair), "{\"repair\":\"result_moved\",\"id\":\"c1\"}");
}
