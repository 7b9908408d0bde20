//! Operation key and fence, written beside what they made, so that the next call finds them and an older one is refused.
//!
//! ```
//! use std::collections::BTreeMap;
//! use towpath_sdk::helpers::stamp::{Order, Stamp};
//!
//! let mut labels = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
//! let stamp = Stamp { fence: 7, operation_key: "d-1/shift/2".to_owned() };
//! stamp.write(&mut labels);
//! assert!(Stamp::is_of(&labels, "d-1/shift/2") && !Stamp::is_of(&labels, "d-1/shift/3"));
//! assert_eq!(Stamp::read(&labels).map(|found| found.fence), Some(7));
//! assert_eq!(Stamp::order(&labels, 6), Order::Superseded(7));
//! ```

use std::collections::BTreeMap;

use crate::Context;

/// The label that holds the fence.
pub const FENCE_LABEL: &str = "towpath-fence";

/// The label that holds the operation key.
pub const KEY_LABEL: &str = "towpath-operation";

/// How long a label's value may be in the narrowest systems that are common.
const VALUE_BYTES_MAX: usize = 63;

/// A dash and the digits of a hash.
const HASH_BYTES: usize = 17;

/// Fence and operation key of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The fence it was made under.
    pub fence: u64,
    /// The operation it belongs to.
    pub operation_key: String,
}

/// How a fence stands to the one that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Nothing is stored, or it is not higher: the write may go on, compared and set with what was read.
    MayWrite,
    /// A higher one is stored: the write is of the past.
    Superseded(u64),
    /// What is stored is no number: somebody else wrote it, and nothing can be said of the order.
    Unreadable,
}

impl Stamp {
    /// Returns the stamp of a call.
    pub fn of(context: &Context) -> Self {
        Self { fence: context.fence, operation_key: context.operation_key.clone() }
    }

    /// Writes the stamp into labels; the others stay. The key is written as [`label_value`] says.
    pub fn write(&self, labels: &mut BTreeMap<String, String>) {
        labels.insert(FENCE_LABEL.to_owned(), self.fence.to_string());
        labels.insert(KEY_LABEL.to_owned(), label_value(&self.operation_key));
    }

    /// Returns the stamp that was written into labels; the key as it stands there. `None` if one of the two is not there or no stamp.
    pub fn read(labels: &BTreeMap<String, String>) -> Option<Self> {
        let fence = labels.get(FENCE_LABEL)?.parse().ok()?;
        Some(Self { fence, operation_key: labels.get(KEY_LABEL)?.clone() })
    }

    /// Returns whether these labels were written by the operation of this key.
    pub fn is_of(labels: &BTreeMap<String, String>, operation_key: &str) -> bool {
        // Versions of this crate before 0.3 wrote a short key as it is.
        labels.get(KEY_LABEL).is_some_and(|found| *found == label_value(operation_key) || found == operation_key)
    }

    /// Returns how a call's fence stands to the one in labels.
    pub fn order(labels: &BTreeMap<String, String>, fence: u64) -> Order {
        match labels.get(FENCE_LABEL).map(|found| found.parse::<u64>()) {
            None => Order::MayWrite,
            Some(Ok(found)) if found > fence => Order::Superseded(found),
            Some(Ok(_)) => Order::MayWrite,
            Some(Err(_)) => Order::Unreadable,
        }
    }
}

/// Returns a text as the value of a label, in the narrowest form that is common (Kubernetes): at most 63 letters and digits of ASCII, and
/// `-`, `_` and `.` between them. A text that is one is left as it is. Of every other one (operation keys have a `/`) it is the beginning,
/// with a dash for what may not be there, and a hash of all of it (FNV-1a), so that keys that look alike stay apart.
pub fn label_value(text: &str) -> String {
    let is_end = |character: char| character.is_ascii_alphanumeric();
    let is_inner = |character: char| is_end(character) || matches!(character, '-' | '_' | '.');
    if text.len() <= VALUE_BYTES_MAX && text.starts_with(is_end) && text.ends_with(is_end) && text.chars().all(is_inner) {
        return text.to_owned();
    }
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let inner = text.chars().map(|character| if is_inner(character) { character } else { '-' });
    let beginning: String = inner.skip_while(|character| !is_end(*character)).take(VALUE_BYTES_MAX - HASH_BYTES).collect();
    match beginning.as_str() {
        "" => format!("{hash:016x}"),
        beginning => format!("{beginning}-{hash:016x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_keys_fit_and_stay_apart() {
        let (one, two) = (format!("{}1", "ä".repeat(60)), format!("{}2", "ä".repeat(60)));
        assert!(label_value(&one).len() <= VALUE_BYTES_MAX, "{}", label_value(&one));
        assert_ne!(label_value(&one), label_value(&two));
        assert_ne!(label_value("d-1/shift"), label_value("d-1-shift"));
        let mut labels = BTreeMap::new();
        Stamp { fence: 1, operation_key: one.clone() }.write(&mut labels);
        assert!(Stamp::is_of(&labels, &one) && !Stamp::is_of(&labels, &two));
    }

    #[test]
    fn a_value_has_the_form_that_the_narrowest_systems_want() {
        let long = "x".repeat(64);
        for text in ["d-1/shift/2", "", "/", "-a", "a-", "..", "ä", "a b", "0193a1f2-7c/promote/1", "a_b.c", long.as_str()] {
            let value = label_value(text);
            let (first, last) = (value.chars().next().expect("never empty"), value.chars().last().expect("never empty"));
            assert!(value.len() <= VALUE_BYTES_MAX && first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric(), "{value}");
            assert!(value.chars().all(|one| one.is_ascii_alphanumeric() || "-_.".contains(one)), "{text}: {value}");
        }
        assert_eq!(label_value("a_b.c"), "a_b.c");
        assert!(label_value("d-1/shift/2").starts_with("d-1-shift-2-"), "{}", label_value("d-1/shift/2"));
    }

    #[test]
    fn what_an_earlier_version_wrote_is_recognised() {
        let labels = BTreeMap::from([(KEY_LABEL.to_owned(), "d-1/shift/2".to_owned())]);
        assert!(Stamp::is_of(&labels, "d-1/shift/2") && !Stamp::is_of(&labels, "d-1/shift/3"));
    }

    #[test]
    fn fences_are_compared_and_what_is_none_is_said() {
        let labels = |value: &str| BTreeMap::from([(FENCE_LABEL.to_owned(), value.to_owned())]);
        assert_eq!(Stamp::order(&BTreeMap::new(), 0), Order::MayWrite);
        assert_eq!(Stamp::order(&labels("7"), 7), Order::MayWrite);
        assert_eq!(Stamp::order(&labels("10"), 9), Order::Superseded(10));
        assert_eq!(Stamp::order(&labels("seven"), 9), Order::Unreadable);
    }
}
