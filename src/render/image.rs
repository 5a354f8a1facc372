//! A picture in words: its type and its size, since text cannot show it.

use super::number::counted;
use crate::model::message::Block;
use crate::model::text::title_line;

/// Longest address of a picture that is told, in bytes.
const URL_BYTES_MAX: usize = 1000;

impl Block {
    /// A picture in words, on one line: its media type with its size or address, such as
    /// `image/png, 1,234 bytes`. `None` for another block.
    pub fn image_label(&self) -> Option<String> {
        label(self)
    }
}

/// What [`Block::image_label`] gives.
pub(crate) fn label(block: &Block) -> Option<String> {
    let Block::Image {
        media_type,
        data,
        url,
    } = block
    else {
        return None;
    };
    let mut label = match media_type
        .as_deref()
        .map(|text| title_line(text, URL_BYTES_MAX))
    {
        Some(media_type) if !media_type.is_empty() => media_type,
        _ => "unknown type".to_owned(),
    };
    if let Some(data) = data {
        let bytes = decoded_bytes(data);
        label = format!("{label}, {}", counted(bytes, "byte"));
    }
    if let Some(url) = url {
        label = format!("{label}, {}", title_line(url, URL_BYTES_MAX));
    }
    Some(label)
}

/// How many bytes base64 text stands for.
fn decoded_bytes(data: &str) -> u64 {
    let digits = data
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=')
        .count();
    digits as u64 * 6 / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_told_by_type_and_size() {
        let image = |media_type: Option<&str>, data: Option<&str>, url: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            label(&Block::Image {
                media_type: own(media_type),
                data: own(data),
                url: own(url),
            })
        };
        let png = Some("image/png");
        assert_eq!(
            image(png, Some("AAECAw=="), None).unwrap(),
            "image/png, 4 bytes"
        );
        assert_eq!(
            image(png, Some(&"A".repeat(1648)), None).unwrap(),
            "image/png, 1,236 bytes"
        );
        assert_eq!(
            image(None, Some("AA=="), None).unwrap(),
            "unknown type, 1 byte"
        );
        assert_eq!(
            image(png, None, Some("https://a/b\n# c")).unwrap(),
            "image/png, https://a/b # c"
        );
        assert_eq!(label(&Block::Text { text: "x".into() }), None);
    }
}
