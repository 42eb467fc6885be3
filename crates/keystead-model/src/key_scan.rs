//! Finding keys in files, however a file writes them down: escaped, coloured, wrapped, in UTF-16. Nothing is asked of any
//! server; the checksum proves a key, so it needs no boundary of a word around it.

use crate::{
    KeyId,
    key_kind::KeyKind,
    key_secret::{CHECKSUM_CHARACTERS, PresentedKey, SECRET_CHARACTERS},
};

/// A key in a file. Its secret is not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundKey {
    /// Where it begins, in bytes.
    pub at: usize,
    /// Where it ends.
    pub end: usize,
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
    read_keys(bytes).filter_map(|(at, end, key)| {
        let PresentedKey { kind, id, .. } = PresentedKey::parse(&key)?;
        Some(FoundKey { at, end, kind, id, last_four: key[key.len() - 4..].to_owned() })
    })
}

/// The keys in a text as their holders have them, secrets and all, for whoever ends what was found in public.
pub fn whole_keys(text: &str) -> impl Iterator<Item = String> {
    read_keys(text.as_bytes()).map(|(_, _, key)| key)
}

/// Where keys begin and end, and how their holders have them.
fn read_keys(bytes: &[u8]) -> impl Iterator<Item = (usize, usize, String)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        // By its first letter, or by what may escape it.
        while let Some(found) = bytes.get(from..)?.iter().position(|byte| b"k%=\\&".contains(byte)) {
            let at = from + found;
            from = at + 1;
            let found = [Encoding::Bytes, Encoding::Utf16Little, Encoding::Utf16Big].into_iter().find_map(|encoding| {
                let mut text = Text { bytes, at, encoding };
                let key = text.key().filter(|key| PresentedKey::parse(key).is_some())?;
                Some((at, text.at, key))
            });
            if let Some((_, end, _)) = found {
                from = end;
                return found;
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
        self.spelled("ks_")?;
        let kind = ["agency", "location"].into_iter().find(|kind| self.clone().spelled(kind).is_some())?;
        self.spelled(kind)?;
        key.push_str(kind);
        for length in [KeyId::LENGTH, SECRET_CHARACTERS + CHECKSUM_CHARACTERS] {
            self.spelled("_")?;
            key.push('_');
            for _ in 0..length {
                key.push(self.character().filter(char::is_ascii_alphanumeric)?);
            }
        }
        Some(key)
    }

    /// A word, in whatever way its characters are written.
    fn spelled(&mut self, word: &str) -> Option<()> {
        word.chars().all(|expected| self.character() == Some(expected)).then_some(())
    }

    /// A word as it stands there.
    fn word(&mut self, word: &str) -> Option<()> {
        word.chars().all(|expected| self.next() == Some(expected)).then_some(())
    }

    /// Passes over a word as it stands there; whether it does.
    fn passes(&mut self, word: &str) -> bool {
        let mut probe = *self;
        let is_there = probe.word(word).is_some();
        if is_there {
            *self = probe;
        }
        is_there
    }

    /// The next character that is meant: as it is, or as addresses, JSON, programs, HTML, Markdown and mails escape it.
    fn character(&mut self) -> Option<char> {
        let plain = self.next()?;
        let mut probe = *self;
        match probe.escaped(plain) {
            Some(meant) => {
                *self = probe;
                Some(meant)
            }
            None => Some(plain),
        }
    }

    /// What follows a character that begins an escape.
    fn escaped(&mut self, begin: char) -> Option<char> {
        match begin {
            '%' => {
                // Encoded again and again: `%5F`, `%255F`.
                while self.passes("25") {}
                if self.passes("u") { self.code(16, 4, None) } else { self.code(16, 2, None) }
            }
            '=' => self.code(16, 2, None),
            '\\' => {
                while self.passes("\\") {}
                match self.next()? {
                    '_' => Some('_'),
                    'u' | 'x' if self.passes("{") => self.code(16, 8, Some('}')),
                    'u' => self.code(16, 4, None),
                    'U' => self.code(16, 8, None),
                    'x' => self.code(16, 2, None),
                    first @ '0'..='3' => {
                        let rest = self.code(8, 2, None)?;
                        char::from_u32(first.to_digit(8)? * 64 + u32::from(rest))
                    }
                    _ => None,
                }
            }
            '&' => {
                while self.passes("amp;") {}
                if self.passes("lowbar;") || self.passes("UnderBar;") {
                    return Some('_');
                }
                self.word("#")?;
                if self.passes("x") || self.passes("X") {
                    self.code(16, 8, Some(';'))
                } else {
                    self.code(10, 8, Some(';'))
                }
            }
            _ => None,
        }
    }

    /// A character by its number: so many digits, or at most so many before `end`.
    fn code(&mut self, radix: u32, digits: usize, end: Option<char>) -> Option<char> {
        let mut number = 0u32;
        for count in 0..=digits {
            if count == digits && end.is_none() {
                return char::from_u32(number);
            }
            let c = self.next()?;
            if count > 0 && Some(c) == end {
                return char::from_u32(number);
            }
            number = number.checked_mul(radix)?.checked_add(c.to_digit(radix)?)?;
        }
        None
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

    /// Passes over one thing that is not part of the text: an ANSI escape sequence, a line break that only wraps with what
    /// quotes or indents the next line, a place where a word may be broken.
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
            Some('\r') if probe.take() == Some('\n') => probe.indentation(),
            Some('\n') => probe.indentation(),
            Some('<') if "wbr>".chars().all(|expected| probe.take() == Some(expected)) => {}
            // The bytes of a zero width space.
            Some('\u{e2}') if probe.take() == Some('\u{80}') && probe.take() == Some('\u{8b}') => {}
            _ => return false,
        }
        *self = probe;
        true
    }

    /// What stands before a line that was wrapped.
    fn indentation(&mut self) {
        let mut probe = *self;
        while let Some(' ' | '\t' | '>') = probe.take() {
            *self = probe;
        }
    }
}

#[cfg(test)]
#[path = "key_scan_tests.rs"]
mod tests;
