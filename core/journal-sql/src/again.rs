//! One error for many: all that waited for one commit are told of its failure.

use journal::StoreError;

/// Returns an error again for another waiter of the same commit.
pub(crate) fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::OutcomeUnknown(message) => StoreError::OutcomeUnknown(message.clone()),
        StoreError::Full(message) => StoreError::Full(message.clone()),
        StoreError::ReadOnly(message) => StoreError::ReadOnly(message.clone()),
        StoreError::Damaged(message) => StoreError::Damaged(message.clone()),
        StoreError::InUse(message) => StoreError::InUse(message.clone()),
        StoreError::Unreachable(message) => StoreError::Unreachable(message.clone()),
        StoreError::Unfit(message) => StoreError::Unfit(message.clone()),
        StoreError::NewerVersion { found, known } => StoreError::NewerVersion { found: *found, known: *known },
        StoreError::Broken(message) => StoreError::Broken(message.clone()),
        other => StoreError::Failed(other.to_string()),
    }
}
