//! `verify --deep`: the list of digests that a person keeps elsewhere, and what it shows later.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::{GGCODE, import_samples};
use crate::harness::Home;

/// A home with two sessions, and their digests in a file.
fn kept() -> (Home, PathBuf, Value) {
    let home = Home::new();
    import_samples(&home);
    let printed = home.ok(&["verify", "--deep", "--json"]);
    let list = home.write("kept/digests.json", &printed);
    (home, list, serde_json::from_str(&printed).unwrap())
}

/// Compares with a list; gives the exit code and what was printed.
fn against(home: &Home, list: &Path, json: bool) -> (i32, String) {
    let mut arguments = vec!["verify", "--deep", "--against", list.to_str().unwrap()];
    arguments.extend(json.then_some("--json"));
    let output = home.run(&arguments);
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}

#[test]
fn a_session_that_only_grew_is_as_it_was() {
    let (home, list, printed) = kept();
    let digests = printed["digests"].as_array().unwrap();
    assert_eq!(digests.len(), 2);
    assert!(digests.iter().all(|head| head["from"] == 0
        && head["rewrites"] == 0
        && head["records"].as_u64() > Some(3)
        && head["digest"].as_str().unwrap().len() == 64));
    let file = home
        .path()
        .join(format!("in/.ggcode/sessions/{GGCODE}.jsonl"));
    let mut grown = std::fs::read_to_string(&file).unwrap();
    grown.push_str("{\"type\":\"message\",\"message\":{\"role\":\"user\",\"content\":[]}}\n");
    std::fs::write(&file, grown).unwrap();
    home.ok(&["import", "in"]);
    home.ok(&["truncate", GGCODE, "--keep", "1"]);
    let (code, text) = against(&home, &list, false);
    assert_eq!(code, 0, "{text}");
    for said in [
        "digest chains of 2 sessions fit, over ",
        "compared with 2 sessions of the list\n",
        "nothing is wrong",
    ] {
        assert!(text.contains(said), "`{said}` is not in {text}");
    }
}

#[test]
fn a_session_that_is_gone_or_another_one_is_named() {
    let (home, list, printed) = kept();
    // What is in the store is another content than the list knows.
    let mut other = printed;
    let head = &mut other["digests"][0];
    let digest = head["digest"].as_str().unwrap();
    let first = if digest.starts_with('0') { "1" } else { "0" };
    let digest = format!("{first}{}", &digest[1..]);
    head["digest"] = Value::String(digest);
    let changed = head["session"].as_str().unwrap().to_owned();
    let changed_list = home.write("kept/changed.json", other.to_string());
    let (code, text) = against(&home, &changed_list, false);
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains(&format!("are not those of the list (session {changed})")),
        "{text}"
    );
    home.ok(&["delete", GGCODE]);
    let (code, text) = against(&home, &list, true);
    assert_eq!(code, 3, "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    let problems = report["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0]["session"], format!("ggcode:{GGCODE}"));
    assert!(
        problems[0]["detail"]
            .as_str()
            .unwrap()
            .starts_with("is not there")
    );
    // A verification that looks at no chains does not miss it.
    home.ok(&["verify"]);
}

#[test]
fn a_session_that_was_compacted_cannot_be_compared_and_is_not_wrong() {
    let (home, list, _) = kept();
    home.ok(&["compact", GGCODE]);
    let (code, text) = against(&home, &list, true);
    assert_eq!(code, 0, "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        report["rewritten"].as_array().unwrap().len(),
        0,
        "nothing went"
    );
    home.ok(&["truncate", GGCODE, "--keep", "1"]);
    home.ok(&["compact", GGCODE]);
    let (code, text) = against(&home, &list, false);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains(&format!(
            "session ggcode:{GGCODE}: compacted or imported anew since, cannot be compared"
        )),
        "{text}"
    );
}

#[test]
fn a_file_that_is_no_list_is_refused() {
    let (home, ..) = kept();
    let plain = home.ok(&["verify", "--json"]);
    let cut = "{\"digests\":[{\"session\":\"a:b\",\"from\":0,\"records\":1,\"rewrites\":0,\
               \"digest\":\"00\"}]}";
    for other in [plain.as_str(), "", "[]", "{}", cut] {
        let list = home.write("kept/other", other);
        let (code, text) = against(&home, &list, false);
        assert_eq!(code, 1, "{other}: {text}");
        assert!(text.contains("hint: name a file that holds what"), "{text}");
    }
    let (code, text) = against(&home, &home.path().join("none"), false);
    assert_eq!(code, 1, "{text}");
    let output = home.run(&["verify", "--against", "x"]);
    assert_eq!(output.status.code(), Some(2));
}
