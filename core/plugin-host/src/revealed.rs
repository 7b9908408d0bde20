//! What a call was shown in confidence: it is taken out of every word of the guest that outlives the call.
//!
//! What it is: a net for what is careless, and for a plugin that writes down what it was shown: log, measurements, traces, sentences,
//! errors and state are kept for long and read by many.
//!
//! What it is not: a wall. Whoever may see a secret can write it in another way; so the power `secret` is granted by name.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::types::Words;

/// A secret shorter than this hides nothing: it would be found in every second word.
const BYTES_MIN: usize = 4;

/// The secrets that a call was shown.
#[derive(Default)]
pub(crate) struct Revealed(Mutex<Vec<Shown>>);

struct Shown {
    name: String,
    value: String,
}

impl Revealed {
    /// Notes a secret that the guest is about to be shown. What ends a line around it is no part of it.
    pub(crate) fn note(&self, name: &str, value: &str) {
        let value = value.trim();
        let mut shown = self.lock();
        if value.len() >= BYTES_MIN && shown.iter().all(|known| known.value != value) {
            shown.push(Shown { name: name.to_owned(), value: value.to_owned() });
            // What holds another one goes first, or a rest of it would be left.
            shown.sort_by_key(|known| std::cmp::Reverse(known.value.len()));
        }
    }

    /// Puts its name in the place of every secret.
    pub(crate) fn hide(&self, text: &mut String) {
        for Shown { name, value } in self.lock().iter() {
            if text.contains(value.as_str()) {
                *text = text.replace(value.as_str(), &format!("[secret {name}]"));
            }
        }
    }

    /// Hides what an answer says; the error says that its state holds a secret, which cannot be taken out of what only the plugin reads.
    pub(crate) fn hide_in(&self, answer: &mut impl Words) -> Result<(), String> {
        if self.lock().is_empty() {
            return Ok(());
        }
        answer.each(&mut |text| self.hide(text));
        let state = answer.state().unwrap_or_default();
        let shown = self.lock();
        let held = shown.iter().find(|known| state.windows(known.value.len()).any(|part| part == known.value.as_bytes()));
        held.map_or(Ok(()), |known| {
            Err(format!("its state holds the secret {:?}, and states are written down; keep what is derived from it", known.name))
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Assessment, HealthVerdict, Measurement};

    #[test]
    fn the_longest_is_hidden_first_and_a_short_one_not_at_all() {
        let revealed = Revealed::default();
        revealed.note("short", "abc");
        revealed.note("part", "hunter");
        revealed.note("whole", "hunter2-of-the-night\n");
        let mut text = "abc hunter2-of-the-night, hunters".to_owned();
        revealed.hide(&mut text);
        assert_eq!(text, "abc [secret whole], [secret part]s");
    }

    #[test]
    fn an_answer_says_no_secret_and_its_state_holds_none() {
        let revealed = Revealed::default();
        let measured = Measurement::bare("hunter2".to_owned(), 1.0, "1".to_owned());
        let mut answer = Assessment {
            verdict: HealthVerdict::Healthy,
            measurements: vec![measured],
            sentence: "it is hunter2".to_owned(),
            state: Some(b"\x00hunter2\xff".to_vec()),
            next_look_ms: None,
        };
        assert_eq!(revealed.hide_in(&mut answer), Ok(()));
        assert_eq!(answer.sentence, "it is hunter2", "nothing was shown yet");
        revealed.note("token", "hunter2");
        let error = revealed.hide_in(&mut answer).expect_err("the state holds it");
        assert!(error.contains("\"token\"") && !error.contains("hunter2"), "{error}");
        assert_eq!((answer.sentence.as_str(), answer.measurements[0].name.as_str()), ("it is [secret token]", "[secret token]"));
    }
}
