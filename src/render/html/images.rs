//! Images within a page, as far as there is room.

use maud::{Markup, html};

use super::text::plain;
use crate::model::message::Block;
use crate::render::image;

/// Bytes of base64 of one image at most.
const IMAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of base64 of all images of a page at most.
const PAGE_BYTES_MAX: usize = 24 * 1024 * 1024;
/// Types that are shown: pictures that run nothing.
const SHOWN: [&str; 5] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
];

/// What is left for images in a page.
#[derive(Debug)]
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(PAGE_BYTES_MAX)
    }
}

/// An image, or what is known of it.
pub(super) fn shown(block: &Block, room: &mut Room) -> Markup {
    let label = image::label(block).unwrap_or_default();
    let label = plain(&label);
    let Block::Image {
        media_type: Some(kind),
        data: Some(data),
        ..
    } = block
    else {
        return html! { p.w { "(image: " (label) ")" } };
    };
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte);
    // The room is the page's: many small pictures make it as heavy as a large one.
    let fits = data.len() <= IMAGE_BYTES_MAX.min(room.0) && data.bytes().all(is_base64);
    if !fits || !SHOWN.contains(&kind.as_str()) {
        return html! { p.w { "(image: " (label) ", not in this page)" } };
    }
    room.0 -= data.len();
    html! { img alt=(label) src=(format!("data:{kind};base64,{data}")); }
}
