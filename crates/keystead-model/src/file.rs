//! Files that people have sent, which stand in custom fields and in answers to forms.

use crate::{id::Id, uuid::Uuid};

/// Names a file; `documentId` on the wire.
pub type FileId = Id<StoredFile>;

/// A file, without its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its id.
    pub id: FileId,
    /// Its name among the files of a field.
    pub uuid: Uuid,
    /// How its sender calls it.
    pub name: String,
    /// What its sender says that it is: a media type.
    pub kind: String,
    /// Bytes.
    pub size: i64,
    /// Whoever knows it may read the file: the last part of its address.
    pub secret: String,
}

/// Without the secret.
impl std::fmt::Debug for StoredFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, uuid, name, kind, size, secret: _ } = self;
        write!(f, "StoredFile({id} {uuid} {name:?} {kind} {size})")
    }
}

/// Bytes at the beginning of a file that tell whether it is a picture.
pub const TELLING: usize = 12;

/// The media type of a picture made of points, by how its bytes begin. Whatever its sender says of it, nothing else is one: a drawing
/// in SVG is a document, which can run scripts.
pub fn picture(beginning: &[u8]) -> Option<&'static str> {
    match beginning {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_bytes() {
        for (beginning, kind) in [
            (b"\x89PNG\r\n\x1a\n....".as_slice(), Some("image/png")),
            (b"\xff\xd8\xff\xe0........", Some("image/jpeg")),
            (b"GIF89a......", Some("image/gif")),
            (b"RIFF\x01\x02\x03\x04WEBP", Some("image/webp")),
            (b"RIFF\x01\x02\x03\x04WAVE", None),
            (b"<svg xmlns=\"", None),
            (b"<!doctype ht", None),
            (b"GIF8", None),
            (b"", None),
        ] {
            assert_eq!(picture(beginning), kind, "{beginning:?}");
        }
        assert_eq!(TELLING, b"RIFF....WEBP".len());
    }
}
