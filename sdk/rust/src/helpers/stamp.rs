//! Operation key and fence, written beside what they made, so that the next call finds them and an older one is refused.
//!
//! ```
//! use std::collections::BTreeMap;
//! use towpath_sdk::helpers::stamp::{Order, Stamp};
//!
//! let mut labels = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
//! let stamp = Stamp { fence: 7, operation_key: "d-1/shift/2".to_owned() };
//! stamp.write(&mut labels);
//! assert_eq!(Stamp::read(&labels), Some(stamp));
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
        labels.get(KEY_LABEL).is_some_and(|found| *found == label_value(operation_key))
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

/// Returns a text that fits into a label of 63 bytes: as it is if it fits, else its beginning and a hash of all of it (FNV-1a), so that
/// long keys with one beginning stay apart.
pub fn label_value(text: &str) -> String {
    if text.len() <= VALUE_BYTES_MAX {
        return text.to_owned();
    }
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut end = VALUE_BYTES_MAX - 17;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}-{hash:016x}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_keys_fit_and_stay_apart() {
        let (one, two) = (format!("{}1", "ä".repeat(60)), format!("{}2", "ä".repeat(60)));
        assert!(label_value(&one).len() <= VALUE_BYTES_MAX, "{}", label_value(&one));
        assert_ne!(label_value(&one), label_value(&two));
        let mut labels = BTreeMap::new();
        Stamp { fence: 1, operation_key: one.clone() }.write(&mut labels);
        assert!(Stamp::is_of(&labels, &one) && !Stamp::is_of(&labels, &two));
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
