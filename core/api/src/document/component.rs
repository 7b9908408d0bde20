//! The bytes of installed components, in parts: so that every server that shares the store has them, and every copy of it.

use journal::{Store, StoreError};
use model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::evidence::hex_bytes;
use super::{PLUGIN_PART, read};

/// The bytes of one part. A store holds a document in memory while it writes it, and others wait meanwhile; a component has at most a few
/// hundred parts of this size.
const PART_BYTES: usize = 256 * 1024;

/// The most parts of one component, so that what is damaged cannot have us read for ever: 256 MiB, four times what the host loads.
const PARTS_MAX: u32 = 1_024;

/// One part of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PartDocument {
    /// The form of this document.
    form: u32,
    /// How many parts there are.
    parts: u32,
    /// Its bytes in hexadecimal digits.
    #[serde(with = "hex_bytes")]
    content: Vec<u8>,
}

/// Writes the bytes of a component down; durable on return. What is there already is the same, or damaged: it is written again.
pub async fn keep_component(store: &dyn Store, digest: Digest, component: &[u8], at: Timestamp) -> Result<(), StoreError> {
    let parts = u32::try_from(component.chunks(PART_BYTES).len()).unwrap_or(u32::MAX);
    if parts > PARTS_MAX {
        let (found, most) = (component.len(), PARTS_MAX as usize * PART_BYTES);
        return Err(StoreError::Failed(format!("a component has {found} bytes, at most {most} are kept")));
    }
    // The first part says that there is a component: it comes last.
    for (index, content) in (0..).zip(component.chunks(PART_BYTES)).collect::<Vec<(u32, _)>>().into_iter().rev() {
        let part = PartDocument { form: super::FORM, parts, content: content.to_vec() };
        store.put(PLUGIN_PART, &key(digest, index), &super::write(&part), None, at).await?;
    }
    Ok(())
}

/// Returns the bytes that were written down for a digest, `None` where none were. Whoever uses them compares them with the digest.
pub async fn component_of(store: &dyn Store, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(first) = part(store, digest, 0).await? else { return Ok(None) };
    let (mut component, parts) = (first.content, first.parts.min(PARTS_MAX));
    for index in 1..parts {
        let damaged = || StoreError::Damaged(format!("part {index} of {parts} of component {digest} is missing"));
        component.extend(part(store, digest, index).await?.ok_or_else(damaged)?.content);
    }
    Ok(Some(component))
}

/// Returns whether the bytes of a digest were written down.
pub async fn has_component(store: &dyn Store, digest: Digest) -> Result<bool, StoreError> {
    Ok(store.get(PLUGIN_PART, &key(digest, 0)).await?.is_some())
}

/// Removes the bytes of a digest.
pub(crate) async fn forget_component(store: &dyn Store, digest: Digest) -> Result<(), StoreError> {
    let mut index = 0;
    while store.remove(PLUGIN_PART, &key(digest, index)).await? {
        index += 1;
    }
    Ok(())
}

async fn part(store: &dyn Store, digest: Digest, index: u32) -> Result<Option<PartDocument>, StoreError> {
    let entry = store.get(PLUGIN_PART, &key(digest, index)).await?;
    entry.map(|entry| read(PLUGIN_PART, &entry).map_err(|error| StoreError::Damaged(error.to_string()))).transpose()
}

fn key(digest: Digest, index: u32) -> String {
    format!("{digest}/{index:05}")
}

#[cfg(test)]
mod tests {
    use journal::Catalog;
    use journal::memory::MemoryStore;

    use super::*;

    const DIGEST: Digest = Digest([7; 32]);

    #[tokio::test]
    async fn a_component_of_several_parts_is_read_back_and_removed() {
        let store = MemoryStore::new(|| Timestamp(1));
        let component: Vec<u8> = (0..PART_BYTES * 2 + 5).map(|at| u8::try_from(at % 251).unwrap()).collect();
        assert_eq!(component_of(&store, DIGEST).await.unwrap(), None);
        keep_component(&store, DIGEST, &component, Timestamp(1)).await.unwrap();
        assert_eq!(store.list(PLUGIN_PART, "").await.unwrap().len(), 3);
        assert!(component_of(&store, DIGEST).await.unwrap() == Some(component.clone()));
        store.remove(PLUGIN_PART, &key(DIGEST, 1)).await.unwrap();
        let said = component_of(&store, DIGEST).await.unwrap_err().to_string();
        assert!(said.contains("part 1 of 3"), "{said}");
        keep_component(&store, DIGEST, &component, Timestamp(1)).await.unwrap();
        forget_component(&store, DIGEST).await.unwrap();
        assert_eq!(store.list(PLUGIN_PART, "").await.unwrap(), []);
    }
}
