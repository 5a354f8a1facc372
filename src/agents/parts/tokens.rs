//! The tokens that a call or a session took, by the names that agents give the counts.

use super::fields::{Found, Object, count, fields_of};
use crate::json::Json;
use crate::model::message::Usage;

/// Those that an object has under the names of what was read, what was written, and perhaps what was read
/// from a cache and written to it; `None` if there is no object.
pub(crate) fn named<const N: usize>(object: Option<Json<'_>>, names: &[&str; N]) -> Option<Usage> {
    let object = object.filter(|object| object.is_object());
    object.map(|object| usage(fields_of(Some(object), names)))
}

/// The same of an object that says other things too; `None` if it has none of them.
pub(crate) fn told<const N: usize>(object: Option<Json<'_>>, names: &[&str; N]) -> Option<Usage> {
    let found = fields_of(object, names);
    found.iter().any(Option::is_some).then(|| usage(found))
}

/// Those of a call of one of Gemini's models, as its interface tells them.
pub(crate) fn of_metadata(metadata: Option<Json<'_>>) -> Option<Usage> {
    let names = [
        "promptTokenCount",
        "candidatesTokenCount",
        "cachedContentTokenCount",
    ];
    named(metadata, &names)
}

/// The sum of what several calls took; `None` of none.
pub(crate) fn sum(all: impl IntoIterator<Item = Usage>) -> Option<Usage> {
    all.into_iter().reduce(|mut sum, usage| {
        sum += usage;
        sum
    })
}

fn usage<const N: usize>(found: Found<'_, N>) -> Usage {
    let mut counts = found.into_iter().map(count);
    let mut next = || counts.next().unwrap_or_default();
    Usage {
        input_tokens: next(),
        output_tokens: next(),
        cache_read_tokens: next(),
        cache_write_tokens: next(),
    }
}

/// The tokens that a call took, in any agent's spelling; `None` if there is no object.
pub(crate) fn in_any_spelling(value: Option<Json<'_>>) -> Option<Usage> {
    let value = value.filter(|value| value.is_object())?;
    let object = Object::of(value);
    let [input, output, read, written] = object.fields(&[
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
    ]);
    let [input_read, input_written] =
        object.fields(&["cache_read_input_tokens", "cache_creation_input_tokens"]);
    let [short_input, short_output, camel_read, camel_written] =
        object.fields(&["input", "output", "cacheRead", "cacheWrite"]);
    Some(Usage {
        input_tokens: count(input.or(short_input)),
        output_tokens: count(output.or(short_output)),
        cache_read_tokens: count(input_read.or(read).or(camel_read)),
        cache_write_tokens: count(input_written.or(written).or(camel_written)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_under_their_names_and_added_up() {
        let json = r#"{"a":1,"b":2,"c":3,"d":4,"e":5}"#;
        let object = Some(Json::parse(json).unwrap());
        let all = named(object, &["a", "b", "c", "d"]).unwrap();
        let expected = Usage {
            input_tokens: 1,
            output_tokens: 2,
            cache_read_tokens: 3,
            cache_write_tokens: 4,
        };
        assert_eq!(all, expected);
        let two = told(object, &["x", "e"]).unwrap();
        assert_eq!((two.input_tokens, two.output_tokens), (0, 5));
        assert_eq!(sum([all, two]).unwrap().output_tokens, 7);
        assert_eq!(sum([]), None);
    }

    #[test]
    fn what_tells_no_tokens_took_none_that_is_known() {
        let list = Some(Json::parse("[1]").unwrap());
        let empty = Some(Json::parse("{}").unwrap());
        assert_eq!(named(list, &["a", "b"]), None);
        assert_eq!(named(empty, &["a", "b"]), Some(Usage::default()));
        for nothing in [list, empty, None] {
            assert_eq!(told(nothing, &["a", "b"]), None);
        }
    }
}
