//! Files that people have sent, which stand in custom fields.

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
