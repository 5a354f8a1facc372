//! JSON kept as the text that it was: key order, number spelling and duplicate keys survive.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::json::Json;
use crate::model::error::{Error, Result};

/// A JSON value kept as its text, so that nothing of it changes on the way through.
///
/// ```
/// use scrollback::RawJson;
///
/// let input = RawJson::parse("{\"b\":1.0,\"a\":1e400}")?;
/// assert_eq!(input.as_str(), "{\"b\":1.0,\"a\":1e400}");
/// # Ok::<(), scrollback::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawJson(String);

impl RawJson {
    /// Takes JSON text after checking that it is one whole value without a raw line feed.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] if the text is not one JSON value, or spans several lines.
    pub fn parse(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let checked = serde_json::from_str::<&RawValue>(&text).map(RawValue::get);
        let reason = match checked {
            Ok(value) if value.contains('\n') => "it spans several lines".to_owned(),
            Ok(value) => return Ok(Self(value.to_owned())),
            Err(error) => error.to_string(),
        };
        Err(Error::InvalidJson { reason })
    }

    /// Any value that serialises, as JSON text.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] if the value cannot be written as JSON (a map with odd keys, say).
    pub fn from_value(value: &impl Serialize) -> Result<Self> {
        serde_json::to_string(value)
            .map(Self)
            .map_err(|error| Error::InvalidJson {
                reason: error.to_string(),
            })
    }

    /// Text that a JSON parser has already delimited as one value.
    pub(crate) fn trusted(value: Json<'_>) -> Self {
        Self(value.get().to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let value: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|value| Self::trusted(Json::of(&value)))
    }
}
