//! Text that an agent puts into the user's name: in tags, or with a known beginning. What stands behind
//! the closing tag is the user's.

/// Whether all of a text was put in.
pub(crate) fn is_put_in(text: &str, tags: &[&str], starts: &[&str]) -> bool {
    let rest = behind(text, tags);
    rest.is_none_or(|rest| {
        (rest.is_empty() && !text.trim().is_empty())
            || starts.iter().any(|start| rest.starts_with(start))
    })
}

/// What stands behind the tags that a text begins with; `None` if one of them is never closed.
fn behind<'t>(text: &'t str, tags: &[&str]) -> Option<&'t str> {
    let mut rest = text.trim();
    while let Some(tag) = tags.iter().find(|tag| opens(rest, tag)) {
        let close = format!("</{tag}>");
        let (_, after) = rest.split_once(close.as_str())?;
        rest = after.trim_start();
    }
    Some(rest)
}

/// Whether a text begins with a tag.
fn opens(text: &str, tag: &str) -> bool {
    let name = text
        .strip_prefix('<')
        .and_then(|text| text.strip_prefix(tag));
    name.is_some_and(|rest| rest.starts_with(['>', ' ', '\n', '\t', '/']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_behind_a_closing_tag_is_the_users() {
        for (text, put_in) in [
            ("<note>be nice</note>", true),
            ("<note kind=\"a\">be nice</note>\n<more>x</more>  ", true),
            ("<note>be nice</note>\nWhat now?", false),
            ("<note>be nice", true),
            ("<notes>mine</notes>", false),
            ("What is a <note>?", false),
            ("[Stopped by the user]", true),
            ("<note>a</note> [Stopped by the user]", true),
            ("", false),
            ("  ", false),
        ] {
            let found = is_put_in(text, &["note", "more"], &["[Stopped"]);
            assert_eq!(found, put_in, "{text}");
        }
    }
}
