//! What every target needs: keys and fences that are written down, waiting as it was told, and changes that leave others' fields alone.
//! What every check needs that asks others: placeholders in their languages, times as they write them, texts of theirs in sentences.

pub mod compare;
pub mod patch;
pub mod placeholders;
pub mod retry;
pub mod stamp;
pub mod text;
pub mod time;
