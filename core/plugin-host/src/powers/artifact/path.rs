//! Paths that stay where they are put.

/// The longest path, in bytes.
const BYTES_MAX: usize = 2_048;

/// Returns whether a path is relative and leads nowhere but down.
pub(crate) fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= BYTES_MAX
        && !path.contains(['\0', '\\'])
        && path.split('/').all(|segment| !segment.is_empty() && segment != "." && segment != "..")
}

/// Returns what is wrong with a path that is not.
pub(crate) fn wrong(path: &str) -> String {
    let shown: String = path.chars().take(100).collect();
    format!("{shown:?} is no path inside: wanted names with \"/\" between them, without \"..\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_down() {
        for path in ["a", "a/b", "a..b/.c", "a b"] {
            assert!(is_inside(path), "{path}");
        }
        let long = "a".repeat(BYTES_MAX + 1);
        for path in ["", "/", "/etc/passwd", "..", "a/../b", "a/..", "./a", "a//b", "a/", "a\0b", "a\\..\\b", long.as_str()] {
            assert!(!is_inside(path), "{path}");
        }
    }
}
