//! Picking a few fields out of one JSON object, borrowed and not converted.
//!
//! - The object is checked once, when it is taken from a line; see [`Json`].
//! - Of a key that occurs twice the last value counts.
//! - A value stays JSON text until somebody asks what it is, so a field of an unexpected type
//!   costs that field and not the line.

use std::borrow::Cow;

use serde::de::Error as _;

use crate::json::string;
use crate::json::{Json, Key, Members};

/// Values of the wanted keys, in the order of the keys.
pub(crate) type Found<'a, const N: usize> = [Option<Json<'a>>; N];

/// The values of `keys` in `object`, which is one JSON object and nothing else.
///
/// # Errors
///
/// What `serde_json` says, if it is not.
pub(crate) fn fields<'a, const N: usize>(
    object: &'a str,
    keys: &[&str; N],
) -> serde_json::Result<Found<'a, N>> {
    object_in(object).map(|object| wanted(object.members(), keys))
}

/// The object that a text is, and nothing else.
///
/// # Errors
///
/// What `serde_json` says, if it is none.
pub(crate) fn object_in(text: &str) -> serde_json::Result<Json<'_>> {
    let value = Json::parse(text)?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(serde_json::Error::custom("not a JSON object"))
    }
}

/// The values of `keys` as far as `object` goes: it may be cut off anywhere.
pub(crate) fn fields_of_start<'a, const N: usize>(
    object: &'a str,
    keys: &[&str; N],
) -> Found<'a, N> {
    wanted(members_of_start(object), keys)
}

/// The members of an object as far as it goes.
pub(crate) fn members_of_start(object: &str) -> impl Iterator<Item = (Key<'_>, Json<'_>)> {
    let object = object.trim_start_matches([' ', '\t', '\r', '\n']);
    // Nobody has checked it: what stands behind the first thing that is no JSON is not read.
    let is_json = |json: Json<'_>| Json::parse(json.get()).is_ok();
    let members = Members::of(object);
    members.take_while(move |(key, value)| is_json(key.json()) && is_json(*value))
}

/// The values of `keys` in a value, if it is an object; nothing otherwise.
pub(crate) fn fields_of<'a, const N: usize>(
    value: Option<Json<'a>>,
    keys: &[&str; N],
) -> Found<'a, N> {
    value.map_or([None; N], |value| wanted(value.members(), keys))
}

/// Declares the fields of an object that are read, each with its name there.
macro_rules! named_fields {
    ($(#[$about:meta])* $seen:vis $name:ident { $($field:ident: $key:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy)]
        $seen struct $name<'a> {
            $($seen $field: Option<$crate::json::Json<'a>>,)+
        }

        impl<'a> $name<'a> {
            /// Takes an object apart, in one pass.
            $seen fn of(object: Option<$crate::json::Json<'a>>) -> Self {
                let [$($field),+] = $crate::agents::parts::fields::fields_of(object, &[$($key),+]);
                Self { $($field),+ }
            }
        }
    };
}
pub(crate) use named_fields;

/// The members of an object, found once, for whoever asks for some of them several times.
#[derive(Clone, Debug)]
pub(crate) struct Object<'a>(Vec<(Key<'a>, Json<'a>)>);

impl<'a> Object<'a> {
    /// Of an object; without members if the value is none.
    pub(crate) fn of(value: Json<'a>) -> Self {
        Self(value.all_members())
    }

    /// The values of `keys`.
    pub(crate) fn fields<const N: usize>(&self, keys: &[&str; N]) -> Found<'a, N> {
        wanted(self.0.iter().copied(), keys)
    }

    /// Every member with another key than these, in its order, duplicates included.
    pub(crate) fn others(&self, keys: &[&str]) -> impl Iterator<Item = (String, Json<'a>)> {
        let members = self.0.iter();
        members
            .filter(|(key, _)| key.place_in(keys).is_none())
            .map(|(key, value)| (key.text().into_owned(), *value))
    }
}

/// The last value of each of `keys` among some members.
pub(crate) fn wanted<'a, const N: usize>(
    members: impl Iterator<Item = (Key<'a>, Json<'a>)>,
    keys: &[&str; N],
) -> Found<'a, N> {
    let mut found = [None; N];
    for (key, value) in members {
        let place = key.place_in(keys);
        if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
            *slot = Some(value);
        }
    }
    found
}

/// Every field of an object in its order, duplicates included; none if it is not an object.
pub(crate) fn entries(object: Json<'_>) -> Vec<(String, Json<'_>)> {
    let members = object.members();
    members
        .map(|(key, value)| (key.text().into_owned(), value))
        .collect()
}

/// The same of text that nobody has checked; none if it is not one object.
pub(crate) fn entries_in(text: &str) -> Vec<(String, Json<'_>)> {
    Json::parse(text).map(entries).unwrap_or_default()
}

/// Every element of an array in its order; none if the value is not an array.
pub(crate) fn elements(array: Json<'_>) -> Vec<Json<'_>> {
    array.elements().collect()
}

/// Every element of an array in its order, each with its members if it is an object; none if the
/// value is not an array.
pub(crate) fn objects(array: Json<'_>) -> impl Iterator<Item = (Json<'_>, Object<'_>)> {
    let mut elements = array.elements();
    std::iter::from_fn(move || {
        let (element, members) = elements.next_with_members()?;
        Some((element, Object(members)))
    })
}

/// A string value.
pub(crate) fn text(value: Option<Json<'_>>) -> Option<Cow<'_, str>> {
    value.and_then(|value| string::decode(value.get()))
}

/// A string value that is not empty.
pub(crate) fn text_filled(value: Option<Json<'_>>) -> Option<Cow<'_, str>> {
    text(value).filter(|text| !text.is_empty())
}

/// A string value that is not empty, owned.
pub(crate) fn owned(value: Option<Json<'_>>) -> Option<String> {
    text_filled(value).map(Cow::into_owned)
}

/// Whether a value is `true`.
pub(crate) fn is_true(value: Option<Json<'_>>) -> bool {
    value.is_some_and(|value| value.get() == "true")
}

/// A whole number from 0; 0 for anything else.
pub(crate) fn count(value: Option<Json<'_>>) -> u64 {
    value
        .and_then(|value| value.get().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_values_counts_and_types_do_not_matter() {
        let line = r#"{"a":1e400,"x":[{"a":9}],"a":99999999999999999999999,"b":null}"#;
        let [a, b, c] = fields(line, &["a", "b", "c"]).unwrap();
        assert_eq!(a.unwrap().get(), "99999999999999999999999");
        assert_eq!(b.unwrap().get(), "null");
        assert!(c.is_none());
    }

    #[test]
    fn keys_are_compared_decoded_and_lone_surrogates_in_them_do_no_harm() {
        let [a] = fields(r#"{"\ud83d":0,"\u0061":1}"#, &["a"]).unwrap();
        assert_eq!(a.unwrap().get(), "1");
        assert_eq!(entries_in(r#"{"\ud83d":0}"#)[0].0, "\u{fffd}");
    }

    #[test]
    fn depth_is_no_limit() {
        let deep = format!(
            "{{\"a\":{}{},\"b\":2}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        let [a, b] = fields(&deep, &["a", "b"]).unwrap();
        assert_eq!((a.unwrap().get().len(), b.unwrap().get()), (200_000, "2"));
    }

    #[test]
    fn what_stands_before_a_cut_is_found() {
        let [a, b] = fields_of_start(r#"{"a":"x","b":{"c"#, &["a", "b"]);
        assert_eq!(text(a).unwrap(), "x");
        assert!(b.is_none());
    }

    #[test]
    fn something_after_the_object_is_an_error() {
        assert!(fields("{}{}", &["a"]).is_err());
        assert!(fields("[]", &["a"]).is_err());
    }
}
