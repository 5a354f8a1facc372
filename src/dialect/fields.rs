//! Picking a few fields out of one JSON object in one pass, borrowed and not converted.
//!
//! - Fields that are not asked for are skipped without recursion, so depth is no limit.
//! - Of a key that occurs twice the last value counts.
//! - A value stays JSON text until somebody asks what it is, so a field of an unexpected type
//!   costs that field and not the line.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::strings;

/// Values of the wanted keys, in the order of the keys.
pub(crate) type Found<'a, const N: usize> = [Option<&'a RawValue>; N];

/// The values of `keys` in `object`, which is one JSON object and nothing else.
///
/// # Errors
///
/// What `serde_json` says, if it is not.
pub(crate) fn fields<'a, const N: usize>(
    object: &'a str,
    keys: &[&str; N],
) -> serde_json::Result<Found<'a, N>> {
    let mut found = [None; N];
    let mut deserializer = serde_json::Deserializer::from_str(object);
    Wanted {
        keys,
        found: &mut found,
    }
    .deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(found)
}

/// The values of `keys` as far as `object` goes: it may be cut off anywhere.
pub(crate) fn fields_of_start<'a, const N: usize>(
    object: &'a str,
    keys: &[&str; N],
) -> Found<'a, N> {
    let mut found = [None; N];
    let mut deserializer = serde_json::Deserializer::from_str(object);
    // The cut is an error; what was found before it stays.
    let _cut = Wanted {
        keys,
        found: &mut found,
    }
    .deserialize(&mut deserializer)
    .is_err();
    found
}

/// The values of `keys` in a value, if it is an object; nothing otherwise.
pub(crate) fn fields_of<'a, const N: usize>(
    value: Option<&'a RawValue>,
    keys: &[&str; N],
) -> Found<'a, N> {
    value
        .filter(|value| is_object(value))
        .and_then(|value| fields(value.get(), keys).ok())
        .unwrap_or([None; N])
}

/// Whether a value is an object.
pub(crate) fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// Every field of an object in its order, duplicates included; none if it is not an object.
pub(crate) fn entries(object: &str) -> Vec<(String, &RawValue)> {
    let mut deserializer = serde_json::Deserializer::from_str(object);
    deserializer.deserialize_map(Entries).unwrap_or_default()
}

/// Every element of an array in its order; none if the value is not an array.
pub(crate) fn elements(array: &RawValue) -> Vec<&RawValue> {
    if !array.get().starts_with('[') {
        return Vec::new();
    }
    let mut deserializer = serde_json::Deserializer::from_str(array.get());
    deserializer.deserialize_seq(Elements).unwrap_or_default()
}

/// A string value.
pub(crate) fn text(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    value.and_then(|value| strings::decode(value.get()))
}

/// A string value that is not empty.
pub(crate) fn text_filled(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    text(value).filter(|text| !text.is_empty())
}

/// A string value that is not empty, owned.
pub(crate) fn owned(value: Option<&RawValue>) -> Option<String> {
    text_filled(value).map(Cow::into_owned)
}

/// Whether a value is `true`.
pub(crate) fn is_true(value: Option<&RawValue>) -> bool {
    value.is_some_and(|value| value.get() == "true")
}

/// A whole number from 0; 0 for anything else.
pub(crate) fn count(value: Option<&RawValue>) -> u64 {
    value
        .and_then(|value| value.get().parse().ok())
        .unwrap_or(0)
}

struct Wanted<'k, 'f, 'a, const N: usize> {
    keys: &'k [&'k str; N],
    found: &'f mut Found<'a, N>,
}

impl<'a, const N: usize> DeserializeSeed<'a> for Wanted<'_, '_, 'a, N> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a, const N: usize> Visitor<'a> for Wanted<'_, '_, 'a, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(place) = map.next_key_seed(Key(self.keys))? {
            match place.and_then(|place| self.found.get_mut(place)) {
                Some(slot) => *slot = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The place of a key among the wanted ones.
struct Key<'k>(&'k [&'k str]);

impl<'a> DeserializeSeed<'a> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // Bytes, since as a string a key with a lone surrogate would fail the line.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|key| key.as_bytes() == bytes))
    }
}

struct OwnedKey;

impl<'a> DeserializeSeed<'a> for OwnedKey {
    type Value = String;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for OwnedKey {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(strings::from_generalised_utf8(bytes))
    }
}

struct Entries;

impl<'a> Visitor<'a> for Entries {
    type Value = Vec<(String, &'a RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key_seed(OwnedKey)? {
            entries.push((key, map.next_value()?));
        }
        Ok(entries)
    }
}

struct Elements;

impl<'a> Visitor<'a> for Elements {
    type Value = Vec<&'a RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut array: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element()? {
            elements.push(element);
        }
        Ok(elements)
    }
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
        assert_eq!(entries(r#"{"\ud83d":0}"#)[0].0, "\u{fffd}");
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
