//! What an update takes away.

use serde_json::Value;

use super::{ANY, Reader};
use crate::shape::Word;

impl Reader<'_> {
    /// What an update names in `clear` that begins so: the rest of each name.
    pub(crate) fn cleared(&mut self, pattern: &'static str) -> Vec<String> {
        self.clearable.push(pattern);
        let begin = pattern.strip_suffix(ANY).unwrap_or(pattern);
        let (cleared, others): (Vec<String>, Vec<String>) =
            std::mem::take(&mut self.clear).into_iter().partition(|name| name.starts_with(begin));
        self.clear = others;
        cleared.into_iter().map(|name| name[begin.len()..].to_owned()).collect()
    }

    /// Whether an update names the field in `clear`. Naming it and giving it a value is a contradiction.
    fn is_cleared(&mut self, name: &'static str) -> bool {
        self.clearable.push(name);
        let named = self.clear.len();
        self.clear.retain(|cleared| cleared != name);
        let is_cleared = self.clear.len() < named;
        if is_cleared && self.take(name).is_some() {
            self.violate(name, "must not have a value and stand in clear");
        }
        is_cleared
    }

    /// A value that an update can take away, by naming it in `clear`: `Some(None)` takes it away.
    pub(crate) fn removable<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.is_cleared(name) { Some(None) } else { read(self).map(Some) }
    }

    /// The same for fields of ours, which null takes away, too: no client sends null for what it does not know.
    pub(crate) fn nullable<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Option<T>> {
        let is_null = self.fields.get(name).is_some_and(Value::is_null);
        self.removable(name, read).or(is_null.then_some(None))
    }

    /// A word that an update takes away by naming it.
    pub(crate) fn removable_word<T: Word>(&mut self, name: &'static str) -> Option<Option<T>> {
        self.removable(name, |reader| reader.word(name))
    }

    /// A text with a rule that an update empties by an empty text, or by naming it in `clear`: `Some(None)` empties it.
    pub(crate) fn clearable<T: Word>(&mut self, name: &'static str) -> Option<Option<T>> {
        if let Some(Value::String(text)) = self.fields.get(name)
            && text.trim().is_empty()
        {
            self.take(name);
            self.is_cleared(name);
            return Some(None);
        }
        self.removable_word(name)
    }
}
