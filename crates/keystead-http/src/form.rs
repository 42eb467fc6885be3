//! Reading a body of `multipart/form-data`: its texts into memory, its files through it to the disk, all within limits.

use std::{
    borrow::Cow,
    error::Error,
    fmt,
    fs::File,
    io::{self, Cursor, Read, Seek, Write},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};
use futures_util::stream::poll_fn;
use http::{HeaderValue, header::CONTENT_DISPOSITION};
use hyper::body::Body;
use keystead_core::{FormFile, NewFile};
use multer::{Constraints, Field, Multipart, SizeLimit, parse_boundary};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use crate::body::{BODY_LIMIT, BodyError, Room, drain};

/// Texts and files of one form: as many fields as one of ours has, some of them with several answers.
const PARTS: usize = 500;
/// Bytes of a file that are kept in memory before they go to the disk.
const IN_MEMORY: usize = 256 * 1024;
/// Bytes that the parser gets at once.
const PIECE: usize = 8 * 1024;
/// Bytes that it gets in search of the end of a part's head: a head of one piece is found, wherever pieces begin.
const HEAD: usize = 2 * PIECE;

/// A form that was read.
pub struct Form {
    /// Names and texts, in their order.
    pub texts: Vec<(String, String)>,
    /// Names and files.
    pub files: Vec<(String, Upload)>,
    /// Of everything in it, names and kinds of files too, whatever stood between its parts.
    pub digest: [u8; 32],
    _room: Arc<Room>,
}

/// A file of a form, to be read once. Its copy on the disk has no name, and is gone with it.
pub struct Upload {
    /// How its sender calls it: a name without a path.
    pub name: Option<String>,
    /// What its sender says that it is.
    pub kind: Option<String>,
    /// Bytes.
    pub length: u64,
    /// Of these.
    pub sha256: [u8; 32],
    content: Content,
}

/// What becomes of a file whose name people should not be shown, or would make a path of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// It is refused, and whoever sent it calls it something else.
    Refused,
    /// It gets what is good of its name: whoever sent it cannot mend that.
    Mended,
}

enum Content {
    /// With the room that it takes.
    Memory {
        bytes: Cursor<Vec<u8>>,
        _room: Arc<Room>,
    },
    Disk(File),
}

impl Upload {
    /// One of these bytes, that nobody has sent.
    pub fn of(bytes: &[u8]) -> Self {
        let content = Content::Memory { bytes: Cursor::new(bytes.to_vec()), _room: Arc::new(Room::in_memory()) };
        Self { name: None, kind: None, length: bytes.len() as u64, sha256: Sha256::digest(bytes).into(), content }
    }

    /// Whether it is one: a browser sends a part for each field, with nothing in it where no file was chosen.
    pub fn is_chosen(&self) -> bool {
        self.name.is_some() || self.length > 0
    }

    /// As a file to be kept, which came in this part.
    pub fn into_file(self, part: String) -> NewFile {
        NewFile { part, name: self.name.clone(), kind: self.kind.clone(), size: self.length, bytes: Box::new(self) }
    }

    /// As an answer to the field with this key.
    pub fn into_answer(self, key: String) -> FormFile {
        FormFile { sha256: self.sha256, new: self.into_file(key.clone()), key }
    }

    /// Has it read from its beginning again.
    pub fn rewind(&mut self) -> io::Result<()> {
        match &mut self.content {
            Content::Memory { bytes, .. } => bytes.rewind(),
            Content::Disk(file) => file.rewind(),
        }
    }
}

impl Read for Upload {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.content {
            Content::Memory { bytes, .. } => bytes.read(buffer),
            Content::Disk(file) => file.read(buffer),
        }
    }
}

/// Why a form was not read.
#[derive(Debug)]
pub enum FormError {
    /// Its body is no form; what is wrong with it, for whoever sent it.
    Malformed(String),
    /// It has more parts than this.
    TooMany(usize),
    /// As any other body.
    Body(BodyError),
    /// A file cannot be kept.
    Disk(io::Error),
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(problem) => f.write_str(problem),
            Self::TooMany(parts) => write!(f, "it has more than {parts} parts"),
            Self::Body(error) => write!(f, "the body was not read: {error:?}"),
            Self::Disk(error) => write!(f, "a file cannot be kept: {error}"),
        }
    }
}

impl Error for FormError {}

impl From<BodyError> for FormError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<multer::Error> for FormError {
    fn from(error: multer::Error) -> Self {
        match error {
            multer::Error::StreamReadFailed(cause) => {
                cause.downcast().map_or(Self::Body(BodyError::Broken), |error| *error)
            }
            multer::Error::StreamSizeExceeded { .. } => Self::Body(BodyError::TooLarge),
            multer::Error::NoMultipart | multer::Error::NoBoundary => malformed("its Content-Type names no boundary"),
            multer::Error::IncompleteStream | multer::Error::IncompleteFieldData { .. } => {
                malformed("it ends before its last boundary")
            }
            _ => malformed("the head of a part is not readable"),
        }
    }
}

fn malformed(problem: impl Into<String>) -> FormError {
    FormError::Malformed(problem.into())
}

/// What the parser does with the bytes that it gets. It searches all that it holds for the end of a part's head, anew with each
/// piece, so that it must hold little: it gets a piece only once it has searched in vain, and not too many.
#[derive(Default)]
struct Search {
    /// Whether it is to search what it holds before it gets more.
    is_due: AtomicBool,
    /// Bytes that it may still get.
    left: AtomicUsize,
}

impl Search {
    fn begin(&self, left: usize) {
        self.is_due.store(true, Relaxed);
        self.left.store(left, Relaxed);
    }

    /// The next part, with its head.
    async fn part(&self, parts: &mut Multipart<'static>) -> Result<Option<Field<'static>>, FormError> {
        self.begin(HEAD);
        Ok(parts.next_field().await?)
    }

    /// The next bytes of a part, as far as the part's kind may have so many.
    async fn chunk(&self, part: &mut Field<'static>, left: &mut u64) -> Result<Option<Bytes>, FormError> {
        self.begin(usize::MAX);
        let Some(chunk) = part.chunk().await? else { return Ok(None) };
        *left = left.checked_sub(chunk.len() as u64).ok_or(BodyError::TooLarge)?;
        Ok(Some(chunk))
    }

    /// Gives a piece of what has arrived; with `None`, the body has ended.
    fn poll_piece(
        &self,
        context: &mut Context<'_>,
        mut arrived: impl FnMut(&mut Context<'_>) -> Poll<Result<Option<Bytes>, FormError>>,
        waiting: &mut Bytes,
    ) -> Poll<Option<Result<Bytes, FormError>>> {
        if self.is_due.swap(false, Relaxed) {
            // It searches now, and comes back at once.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let left = self.left.load(Relaxed);
        if left == 0 {
            return Poll::Ready(Some(Err(malformed("the head of a part is too long"))));
        }
        while waiting.is_empty() {
            match ready!(arrived(context))? {
                Some(chunk) => *waiting = chunk,
                None => return Poll::Ready(None),
            }
        }
        let piece = waiting.split_to(waiting.len().min(PIECE));
        self.left.store(left.saturating_sub(piece.len()), Relaxed);
        self.is_due.store(true, Relaxed);
        Poll::Ready(Some(Ok(piece)))
    }
}

/// Reads a form, whose files may have up to `file_bytes` together.
pub async fn read_form<B>(body: B, content_type: &str, file_bytes: u64, names: Names) -> Result<Form, FormError>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let boundary = parse_boundary(content_type)?;
    let (body, room) = (Arc::new(Mutex::new(body)), Arc::new(Room::in_memory()));
    let (arriving, taken) = (Arc::clone(&body), Arc::clone(&room));
    let arrived = move |context: &mut Context<'_>| {
        let mut body = arriving.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(frame) = ready!(Pin::new(&mut *body).poll_frame(context)) else { return Poll::Ready(Ok(None)) };
        let chunk = frame.map_err(|error| BodyError::of(error.into()))?.into_data().unwrap_or_default();
        taken.grow(chunk.len())?;
        Poll::Ready(Ok(Some(chunk)))
    };
    let search = Arc::new(Search::default());
    let (searching, mut waiting) = (Arc::clone(&search), Bytes::new());
    let pieces = poll_fn(move |context| searching.poll_piece(context, &arrived, &mut waiting));
    let whole = SizeLimit::new().whole_stream(file_bytes.saturating_add(BODY_LIMIT as u64));
    let parts = Multipart::with_constraints(pieces, boundary, Constraints::new().size_limit(whole));
    let read = read_parts(parts, &search, room, (file_bytes, names)).await;
    if matches!(read, Err(FormError::Malformed(_) | FormError::TooMany(_) | FormError::Body(BodyError::TooLarge)))
        && let Ok(body) = Arc::try_unwrap(body)
    {
        drain(body.into_inner().unwrap_or_else(PoisonError::into_inner)).await;
    }
    read
}

async fn read_parts(
    mut parts: Multipart<'static>,
    search: &Search,
    room: Arc<Room>,
    (mut file_bytes, file_names): (u64, Names),
) -> Result<Form, FormError> {
    let mut form = Form { texts: Vec::new(), files: Vec::new(), digest: [0; 32], _room: Arc::clone(&room) };
    let (mut digest, mut text_bytes) = (Sha256::new(), BODY_LIMIT as u64);
    while let Some(mut part) = search.part(&mut parts).await? {
        if form.texts.len() + form.files.len() == PARTS {
            return Err(FormError::TooMany(PARTS));
        }
        let names = part.headers().get(CONTENT_DISPOSITION).map(HeaderValue::as_bytes);
        if names.is_some_and(|names| str::from_utf8(names).is_err()) {
            return Err(malformed("the names of a part are not UTF-8"));
        }
        let name = as_written(part.name().ok_or_else(|| malformed("a part has no name"))?);
        let is_file = is_file(&part);
        digest.update([u8::from(is_file)]);
        digest.update(Sha256::digest(&name));
        if is_file {
            let file_name = part.file_name().filter(|name| !name.is_empty()).map(as_written);
            let file_name = file_name.map(|name| file_names.of(&name)).transpose()?.flatten();
            let upload = Upload { name: file_name, ..receive(&mut part, search, &room, &mut file_bytes).await? };
            for told in [&upload.name, &upload.kind] {
                digest.update(Sha256::digest(told.as_deref().unwrap_or_default()));
            }
            digest.update(upload.sha256);
            form.files.push((name, upload));
        } else {
            let text = text(&mut part, search, &mut text_bytes).await?;
            digest.update(Sha256::digest(&text));
            form.texts.push((name, text));
        }
    }
    form.digest = digest.finalize().into();
    Ok(form)
}

/// A part with a file's name, or of a kind that no text has. .NET and Apache clients tell the kind of texts, too.
fn is_file(part: &Field<'_>) -> bool {
    part.file_name().is_some() || part.content_type().is_some_and(|kind| kind.essence_str() != "text/plain")
}

/// A text, in UTF-8 if it says nothing else; all of a form together are as long as another body may be.
async fn text(part: &mut Field<'static>, search: &Search, left: &mut u64) -> Result<String, FormError> {
    let charset = match part.content_type().and_then(|kind| kind.get_param("charset")) {
        None => UTF_8,
        Some(label) => Encoding::for_label_no_replacement(label.as_str().as_bytes())
            .ok_or_else(|| malformed("a text names no charset that is known"))?,
    };
    let mut text = Vec::new();
    while let Some(chunk) = search.chunk(part, left).await? {
        text.extend_from_slice(&chunk);
    }
    let text = charset.decode_without_bom_handling_and_without_replacement(&text);
    text.map(Cow::into_owned).ok_or_else(|| malformed(format!("a text is not {}", charset.name())))
}

/// A name as it was before it was put between quotes: of what it cannot hold there browsers write these three, and nothing else, in
/// another way (WHATWG HTML, multipart/form-data).
fn as_written(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// Bytes that common file systems take of a name.
const NAME: usize = 255;

const fn turns(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl Names {
    /// A file's name as it is kept, if anything of it is. It is shown to people, and somebody will make a path of it.
    fn of(self, told: &str) -> Result<Option<String>, FormError> {
        match (self, wrong_name(told)) {
            (_, None) => Ok(Some(told.to_owned())),
            (Self::Refused, Some(problem)) => Err(malformed(format!("a file's name must not {problem}"))),
            (Self::Mended, Some(_)) => Ok(mended(told)),
        }
    }
}

/// What a file's name must not do, and does.
fn wrong_name(name: &str) -> Option<&'static str> {
    if name.len() > NAME {
        Some("have more than 255 bytes")
    } else if name.contains(['/', '\\']) || [".", ".."].contains(&name) {
        Some("be a path")
    } else if name.contains(char::is_control) {
        Some("have control characters")
    } else {
        name.contains(turns).then_some("turn the direction of its text")
    }
}

/// The last part of a path, without what nobody sees, and so short that its end stays: by that programs know what it is.
fn mended(told: &str) -> Option<String> {
    let last = told.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut name: String = last.chars().filter(|c| !c.is_control() && !turns(*c)).collect();
    if name.len() > NAME {
        let end = name.rfind('.').map(|dot| name.split_off(dot)).filter(|end| end.len() <= 16).unwrap_or_default();
        name.truncate(name.floor_char_boundary(NAME - end.len()));
        name.push_str(&end);
    }
    let name = name.trim();
    (!name.is_empty() && !name.chars().all(|c| c == '.')).then(|| name.to_owned())
}

/// A file, which waits in memory and, if it is longer, on the disk. Its name is still to be looked at.
async fn receive(
    part: &mut Field<'static>,
    search: &Search,
    room: &Arc<Room>,
    left: &mut u64,
) -> Result<Upload, FormError> {
    let kind = part.content_type().map(|kind| kind.essence_str().to_owned());
    let (mut waiting, mut file, mut length) = (Vec::new(), None, 0);
    let mut digest = Sha256::new();
    while let Some(chunk) = search.chunk(part, left).await? {
        length += chunk.len() as u64;
        digest.update(&chunk);
        waiting.extend_from_slice(&chunk);
        if waiting.len() > IN_MEMORY {
            room.shrink(waiting.len());
            file = Some(store(file, std::mem::take(&mut waiting)).await?);
        }
    }
    let content = match file {
        None => Content::Memory { bytes: Cursor::new(waiting), _room: Arc::clone(room) },
        Some(file) => {
            room.shrink(waiting.len());
            let mut file = store(Some(file), waiting).await?;
            file.rewind().map_err(FormError::Disk)?;
            Content::Disk(file)
        }
    };
    Ok(Upload { name: None, kind, length, sha256: digest.finalize().into(), content })
}

/// Writes to the disk what has waited in memory.
async fn store(file: Option<File>, bytes: Vec<u8>) -> Result<File, FormError> {
    let write = move || {
        let mut file = file.map_or_else(tempfile::tempfile, Ok)?;
        file.write_all(&bytes)?;
        Ok(file)
    };
    spawn_blocking(write).await.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(FormError::Disk)
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
