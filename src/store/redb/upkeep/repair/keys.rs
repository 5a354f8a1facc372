//! Keys of the engine's tables, taken apart with every bound checked: a page may be damaged.
//!
//! Fields stand one after another, integers little endian; the lengths of those that vary, but the
//! last field's, stand before them.

/// The first bytes of `rest`, which goes on after them.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (chunk, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*chunk)
}

fn bytes<'k>(rest: &mut &'k [u8], length: usize) -> Option<&'k [u8]> {
    let (found, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(found)
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// A length: one byte, or a marker and two or four bytes.
fn length(rest: &mut &[u8]) -> Option<usize> {
    match take::<1>(rest)? {
        // redb's markers: below 254 the byte is the length itself.
        [254] => Some(usize::from(u16::from_le_bytes(take(rest)?))),
        [255] => usize::try_from(u32::from_le_bytes(take(rest)?)).ok(),
        [length] => Some(usize::from(length)),
    }
}

/// `u64`.
pub(crate) fn number(key: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(key.try_into().ok()?))
}

/// `(u64, u64, u32)`.
pub(crate) fn record(mut key: &[u8]) -> Option<(u64, u64, u32)> {
    let rest = &mut key;
    let found = (
        u64::from_le_bytes(take(rest)?),
        u64::from_le_bytes(take(rest)?),
        u32::from_le_bytes(take(rest)?),
    );
    rest.is_empty().then_some(found)
}

/// `(u64, text, u32)`.
pub(crate) fn attachment(mut key: &[u8]) -> Option<(u64, String, u32)> {
    let rest = &mut key;
    let length = length(rest)?;
    let number = u64::from_le_bytes(take(rest)?);
    let name = text(bytes(rest, length)?)?;
    Some((number, name, u32::from_le_bytes((*rest).try_into().ok()?)))
}

/// `(text, text)`.
pub(crate) fn session(mut key: &[u8]) -> Option<(String, String)> {
    let rest = &mut key;
    let length = length(rest)?;
    let agent = text(bytes(rest, length)?)?;
    Some((agent, text(rest)?))
}

/// `(text, text, u64)`.
pub(crate) fn alias(mut key: &[u8]) -> Option<(String, String, u64)> {
    let rest = &mut key;
    let (first, second) = (length(rest)?, length(rest)?);
    let agent = text(bytes(rest, first)?)?;
    let alias = text(bytes(rest, second)?)?;
    Some((agent, alias, number(rest)?))
}

/// `(text, text, bytes)`.
pub(crate) fn deleted(mut key: &[u8]) -> Option<(String, String, Vec<u8>)> {
    let rest = &mut key;
    let (first, second) = (length(rest)?, length(rest)?);
    let agent = text(bytes(rest, first)?)?;
    let id = text(bytes(rest, second)?)?;
    Some((agent, id, rest.to_vec()))
}

/// `(bytes, u32)`.
pub(crate) fn source(mut key: &[u8]) -> Option<(Vec<u8>, u32)> {
    let rest = &mut key;
    let length = length(rest)?;
    let path = bytes(rest, length)?.to_vec();
    Some((path, u32::from_le_bytes((*rest).try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use redb::Value;

    use super::*;

    #[test]
    fn keys_are_taken_apart_as_the_engine_puts_them_together() {
        let long = "x".repeat(300);
        let key = <(u64, u64, u32)>::as_bytes(&(1, 2, 3));
        assert_eq!(record(key.as_ref()), Some((1, 2, 3)));
        for name in ["", "a/b", &long] {
            let key = <(u64, &str, u32)>::as_bytes(&(7, name, 9));
            assert_eq!(attachment(key.as_ref()), Some((7, name.to_owned(), 9)));
            let key = <(&str, &str)>::as_bytes(&(name, "id"));
            assert_eq!(
                session(key.as_ref()),
                Some((name.to_owned(), "id".to_owned()))
            );
            let key = <(&str, &str, u64)>::as_bytes(&("agent", name, 4));
            let expected = ("agent".to_owned(), name.to_owned(), 4);
            assert_eq!(alias(key.as_ref()), Some(expected));
            let key = <(&[u8], u32)>::as_bytes(&(name.as_bytes(), 4));
            assert_eq!(source(key.as_ref()), Some((name.as_bytes().to_vec(), 4)));
        }
        for length in 0..20 {
            assert_eq!(record(&[255; 40][..length]), None);
            assert_eq!(session(&[255; 40][..length]), None);
        }
    }
}
