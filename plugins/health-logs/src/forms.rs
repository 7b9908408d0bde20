//! The forms of lines that a side writes, found while they come.
//!
//! A form is a masked line, word by word, in which a word may stand for any. It is Drain (P. He, J. Zhu, Z. Zheng, M. R. Lyu, "Drain: an online log
//! parsing approach with fixed depth tree", ICWS 2017) without the tree, which a few hundred forms do not need, and more careful: a line joins a form
//! only if its first word and at least three of four words are equal, so that "payment ok" and "payment failed" stay two. Stable's forms become wider by what stable
//! writes, never by what the candidate writes.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Words of a line that count. Most forms differ before.
const WORDS_MAX: usize = 24;

/// The word that stands for any.
const ANY: u16 = 0;

/// The digits that a word is written with: three of six bits each.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A form: each word as a number of it. Two different words have one number once in 65535 times; that hides one form in as many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form(Vec<u16>);

impl Form {
    /// Returns the form of a masked line.
    pub(crate) fn of(masked: &str) -> Self {
        Self(masked.split_whitespace().take(WORDS_MAX).map(number).collect())
    }

    /// Returns whether a line of the other form is one of this form, too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(word, theirs)| *word == ANY || word == theirs)
    }

    /// Returns whether the two are so alike that they are one.
    fn is_like(&self, other: &Self) -> bool {
        let equal = self.0.iter().zip(&other.0).filter(|(word, theirs)| word == theirs && **word != ANY).count();
        self.0.len() == other.0.len() && self.0.first() == other.0.first() && equal * 4 >= self.0.len() * 3
    }

    /// Takes in the other: where they differ, any word may stand.
    fn widen(&mut self, other: &Self) {
        for (word, theirs) in self.0.iter_mut().zip(&other.0) {
            if word != theirs {
                *word = ANY;
            }
        }
    }
}

/// Adds a form to others: to the one that covers it, or is like it. `None` where it is none of them.
pub(crate) fn join<'a, T>(forms: &'a mut [T], new: &Form, of: impl Fn(&mut T) -> &mut Form) -> Option<&'a mut T> {
    let covering = forms.iter_mut().position(|form| of(form).covers(new));
    let place = covering.or_else(|| forms.iter_mut().position(|form| of(form).is_like(new)))?;
    let joined = &mut forms[place];
    of(joined).widen(new);
    Some(joined)
}

/// Returns a word as a number (FNV-1a, folded); never that of any word.
fn number(word: &str) -> u16 {
    let hash = word.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let folded = (hash >> 16) ^ (hash & 0xffff);
    u16::try_from(folded).ok().filter(|number| *number != ANY).unwrap_or(1)
}

impl Serialize for Form {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digit = |word: u16, shift: u32| char::from(DIGITS[usize::from((word >> shift) & 63)]);
        let text: String = self.0.iter().flat_map(|word| [digit(*word, 12), digit(*word, 6), digit(*word, 0)]).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = |byte: u8| DIGITS.iter().position(|digit| *digit == byte).and_then(|value| u16::try_from(value).ok());
        let word = |digits: &[u8]| match digits {
            [high, middle, low] => Some((value(*high)? & 15) << 12 | value(*middle)? << 6 | value(*low)?),
            _ => None,
        };
        let words: Option<Vec<u16>> = text.as_bytes().chunks(3).map(word).collect();
        words.filter(|words| words.len() <= WORDS_MAX).map(Self).ok_or_else(|| D::Error::custom("no form of a line"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(lines: &[&str]) -> Vec<Form> {
        let mut forms: Vec<Form> = Vec::new();
        for line in lines {
            let form = Form::of(line);
            if join(&mut forms, &form, |form| form).is_none() {
                forms.push(form);
            }
        }
        forms
    }

    #[test]
    fn lines_that_differ_in_a_name_are_of_one_form() {
        let forms = joined(&["user ann logged in", "user bob logged in", "user cy logged in"]);
        assert_eq!(forms.len(), 1);
        assert!(forms[0].covers(&Form::of("user dan logged in")));
        assert!(!forms[0].covers(&Form::of("user dan logged out")));
        assert!(!forms[0].covers(&Form::of("user dan logged in again")));
    }

    #[test]
    fn lines_that_say_something_else_are_of_another() {
        assert_eq!(joined(&["payment ok", "payment failed"]).len(), 2);
        assert_eq!(joined(&["connection to db failed", "connection to cache opened"]).len(), 2);
        assert_eq!(joined(&["a", "b", "", " "]).len(), 3);
        // What one form was widened by is no licence to widen it for ever.
        assert_eq!(joined(&["a b c d", "a b c x", "a b y d", "z b c d"]).len(), 3);
    }

    #[test]
    fn a_form_is_written_down_and_read_again() {
        let mut form = Form::of("user ann logged in");
        form.widen(&Form::of("user bob logged in"));
        let text = serde_json::to_string(&form).expect("JSON");
        assert_eq!(text.len(), 2 + 4 * 3);
        assert_eq!(serde_json::from_str::<Form>(&text).expect("a form"), form);
        for text in ["\"AAA?\"", "\"AA\"", "\"é€\"", "7", &format!("\"{}\"", "A".repeat(3 * 25))] {
            serde_json::from_str::<Form>(text).expect_err(text);
        }
        assert_eq!(Form::of(&"word ".repeat(1_000)).0.len(), WORDS_MAX);
    }
}
