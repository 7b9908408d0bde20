//! Functions stay short everywhere: also in plugins, build scripts, tests and generated-looking code that clippy is not asked about.

use crate::{Finding, Tree};

/// The same limit as in `.clippy.toml`.
const FUNCTION_LINES_MAX: usize = 70;

/// Returns a finding for each function that is too long.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.rust() {
        for function in source.functions().into_iter().filter(|function| function.code_lines > FUNCTION_LINES_MAX) {
            let what = format!(
                "`{}` has {} lines of code, at most {FUNCTION_LINES_MAX} are allowed",
                function.name, function.code_lines
            );
            findings.push(Finding::new(&file.path, function.first_line, what, "name its parts and make them functions"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_do_not_count() {
        let long = format!("\nfn long() {{\n{}}}\n", "    x();\n".repeat(71));
        let airy = format!("fn airy() {{\n{}{}}}\n", "    x();\n".repeat(70), "    // why\n\n".repeat(9));
        let findings = check(&Tree::of([("a.rs", long), ("b.rs", airy)]));
        assert_eq!(findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect::<Vec<_>>(), [("a.rs", 2)]);
    }
}
