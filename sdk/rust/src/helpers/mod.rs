//! What every target needs: keys and fences that are written down, waiting as it was told, and changes that leave others' fields alone.

pub mod compare;
pub mod patch;
pub mod placeholders;
pub mod retry;
pub mod stamp;
