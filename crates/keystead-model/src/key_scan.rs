//! Finding keys in files, however a file writes them down: escaped, coloured, wrapped, in UTF-16. Nothing is asked of any
//! server; the checksum proves a key, so it needs no boundary of a word around it.

use crate::{
    KeyId,
    api_key::KeyKind,
    key_secret::{CHECKSUM_CHARACTERS, PresentedKey, SECRET_CHARACTERS},
};

/// A key in a file. Its secret is not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundKey {
    /// Where it begins, in bytes.
    pub at: usize,
    /// Its kind.
    pub kind: KeyKind,
    /// Its public id.
    pub id: KeyId,
    /// The end of its text.
    pub last_four: String,
}

/// Bytes that a key may take in a file, with all that can stand between its characters.
pub const LONGEST: usize = 1024;

/// Every key in a file's bytes, in the order in which they stand there.
pub fn find_keys(bytes: &[u8]) -> impl Iterator<Item = FoundKey> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(found) = bytes.get(from..)?.iter().position(|byte| *byte == b'k') {
            let at = from + found;
            from = at + 1;
            let found = [Encoding::Bytes, Encoding::Utf16Little, Encoding::Utf16Big].into_iter().find_map(|encoding| {
                let mut text = Text { bytes, at, encoding };
                let key = text.key()?;
                let presented = PresentedKey::parse(&key)?;
                let last_four = key[key.len() - 4..].to_owned();
                Some((text.at, FoundKey { at, kind: presented.kind, id: presented.id, last_four }))
            });
            if let Some((end, key)) = found {
                from = end;
                return Some(key);
            }
        }
        None
    })
}

#[derive(Clone, Copy)]
enum Encoding {
    /// ASCII, UTF-8 and their like.
    Bytes,
    Utf16Little,
    Utf16Big,
}

/// A place in a file from which a key is read.
#[derive(Clone, Copy)]
struct Text<'b> {
    bytes: &'b [u8],
    at: usize,
    encoding: Encoding,
}

impl Text<'_> {
    /// The key that begins here, as its holder has it; whether its checksum is right is not asked.
    fn key(&mut self) -> Option<String> {
        let mut key = String::from("ks_");
        self.word("k")?;
        self.word("s")?;
        self.underscore()?;
        let kind = ["agency", "location"].into_iter().find(|kind| self.clone().word(kind).is_some())?;
        self.word(kind)?;
        key.push_str(kind);
        for length in [KeyId::LENGTH, SECRET_CHARACTERS + CHECKSUM_CHARACTERS] {
            self.underscore()?;
            key.push('_');
            for _ in 0..length {
                key.push(self.next().filter(char::is_ascii_alphanumeric)?);
            }
        }
        Some(key)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        word.chars().all(|expected| self.next() == Some(expected)).then_some(())
    }

    /// The next character of the text, behind colours and the wrapping of long lines.
    fn next(&mut self) -> Option<char> {
        while self.skip() {}
        self.take()
    }

    /// The next character as it stands in the file; `None` beyond its end and for what is no part of a key.
    fn take(&mut self) -> Option<char> {
        let byte = |at: usize| self.bytes.get(at).copied();
        let (unit, length) = match self.encoding {
            Encoding::Bytes => (byte(self.at)?, 1),
            Encoding::Utf16Little => (byte(self.at + 1).filter(|high| *high == 0).and_then(|_| byte(self.at))?, 2),
            // The search begins with the letter, which is the second byte of its pair.
            Encoding::Utf16Big => (byte(self.at)?, if byte(self.at + 1) == Some(0) { 2 } else { 1 }),
        };
        self.at += length;
        Some(char::from(unit))
    }

    /// Passes over one thing that is not part of the text: an ANSI escape sequence, or a line break that only wraps.
    fn skip(&mut self) -> bool {
        let mut probe = *self;
        match probe.take() {
            Some('\u{1b}') if probe.take() == Some('[') => loop {
                match probe.take() {
                    Some(c) if c.is_ascii_digit() || c == ';' => {}
                    Some(c) if c.is_ascii_alphabetic() => break,
                    _ => return false,
                }
            },
            // Quoted-printable mails and shell scripts.
            Some('=' | '\\') => match probe.take() {
                Some('\n') => {}
                Some('\r') if probe.take() == Some('\n') => {}
                _ => return false,
            },
            _ => return false,
        }
        *self = probe;
        true
    }

    /// An underscore, as it is or as addresses, JSON, HTML, Markdown and mails escape it.
    fn underscore(&mut self) -> Option<()> {
        let escapes: &[&str] = match self.next()? {
            '_' => return Some(()),
            '%' => {
                // Encoded again and again: `%5F`, `%255F`.
                while self.clone().word("25").is_some() {
                    self.word("25")?;
                }
                &["5F", "5f"]
            }
            '=' => &["5F", "5f"],
            '\\' => {
                while self.clone().word("\\").is_some() {
                    self.word("\\")?;
                }
                &["_", "u005f", "u005F", "x5f", "x5F"]
            }
            '&' => &["#95;", "#x5f;", "#x5F;", "lowbar;", "amp;#95;"],
            _ => return None,
        };
        let escape = escapes.iter().find(|escape| self.clone().word(escape).is_some())?;
        self.word(escape)
    }
}

#[cfg(test)]
#[path = "key_scan_tests.rs"]
mod tests;
