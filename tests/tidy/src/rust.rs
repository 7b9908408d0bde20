//! Rust code without its comments and texts: enough of a lexer to find functions and words.

/// One function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The line of its `fn`, counted from 1.
    pub(crate) first_line: usize,
    /// The line of its closing brace.
    pub(crate) last_line: usize,
    /// The lines of its body that hold code, as clippy counts them: between the braces, without blank lines and comments.
    pub(crate) code_lines: usize,
}

/// A Rust file in which comments and the contents of literals are blank; its lines are where they were.
#[derive(Clone, Debug)]
pub struct Source {
    masked: Vec<char>,
}

impl Source {
    /// Reads a file.
    pub(crate) fn of(text: &str) -> Self {
        Self { masked: mask(&text.chars().collect::<Vec<_>>()) }
    }

    /// Returns the lines with their numbers, counted from 1.
    pub(crate) fn lines(&self) -> Vec<(usize, String)> {
        let text: String = self.masked.iter().collect();
        text.lines().enumerate().map(|(index, line)| (index + 1, line.to_owned())).collect()
    }

    /// Returns every function with a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for at in 0..self.masked.len() {
            if self.word_at(at, "fn")
                && let Some(function) = self.function(at)
            {
                found.push(function);
            }
        }
        found
    }

    /// Returns the innermost function around a line.
    pub(crate) fn function_around(&self, line: usize) -> Option<Function> {
        let around = self.functions().into_iter().filter(|function| (function.first_line..=function.last_line).contains(&line));
        around.max_by_key(|function| function.first_line)
    }

    /// Returns the line from which on the file is an inline test module.
    pub(crate) fn tests_from(&self) -> Option<usize> {
        let lines = self.lines();
        let marked = lines.windows(2).find(|pair| pair[0].1.trim() == "#[cfg(test)]" && pair[1].1.trim_end().ends_with('{'));
        marked.map(|pair| pair[0].0)
    }

    fn function(&self, keyword: usize) -> Option<Function> {
        let rest = &self.masked[keyword + 2..];
        let name: String = rest.iter().skip_while(|c| c.is_whitespace()).take_while(|c| is_word(**c)).collect();
        if name.is_empty() {
            return None;
        }
        let open = self.body(keyword)?;
        let close = self.closing(open)?;
        let body: String = self.masked[open + 1..close].iter().collect();
        Some(Function {
            name,
            first_line: self.line(keyword),
            last_line: self.line(close),
            code_lines: body.lines().filter(|line| !line.trim().is_empty()).count(),
        })
    }

    /// Returns where the body opens; none for a signature that ends in a semicolon.
    fn body(&self, from: usize) -> Option<usize> {
        let mut depth = 0_i32;
        for (at, c) in self.masked.iter().enumerate().skip(from) {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                '{' if depth == 0 => return Some(at),
                ';' if depth == 0 => return None,
                _ => {}
            }
            if depth < 0 {
                return None;
            }
        }
        None
    }

    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_i32;
        for (at, c) in self.masked.iter().enumerate().skip(open) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(at);
            }
        }
        None
    }

    fn line(&self, at: usize) -> usize {
        1 + self.masked[..at].iter().filter(|c| **c == '\n').count()
    }

    fn word_at(&self, at: usize, word: &str) -> bool {
        let end = at + word.len();
        let free = |c: Option<&char>| c.is_none_or(|c| !is_word(*c));
        self.masked[at..].iter().take(word.len()).copied().eq(word.chars())
            && free(at.checked_sub(1).and_then(|before| self.masked.get(before)))
            && free(self.masked.get(end))
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the text with everything blank that is comment or content of a literal.
fn mask(text: &[char]) -> Vec<char> {
    let mut masked = text.to_vec();
    let mut at = 0;
    while at < text.len() {
        let end = literal_end(text, at).max(at + 1);
        if end > at + 1 {
            blank(&mut masked[at..end]);
        }
        at = end;
    }
    masked
}

fn blank(part: &mut [char]) {
    part.iter_mut().filter(|c| **c != '\n').for_each(|c| *c = ' ');
}

/// Returns where the comment or literal that starts at `at` ends; `at` when none starts there.
fn literal_end(text: &[char], at: usize) -> usize {
    let next = |offset: usize| text.get(at + offset).copied().unwrap_or(' ');
    let in_word = at > 0 && is_word(text[at - 1]);
    match text[at] {
        '/' if next(1) == '/' => find(text, at, |c| c == '\n'),
        '/' if next(1) == '*' => comment_end(text, at),
        '"' => quoted_end(text, at),
        'r' if !in_word || matches!(text[at - 1], 'b' | 'c') => raw_end(text, at).unwrap_or(at),
        '\'' if next(1) == '\\' => find(text, at + 3, |c| c == '\'') + 1,
        '\'' if next(2) == '\'' => at + 3,
        _ => at,
    }
}

fn find(text: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    (from..text.len()).find(|at| wanted(text[*at])).unwrap_or(text.len().saturating_sub(1))
}

/// Block comments nest.
fn comment_end(text: &[char], from: usize) -> usize {
    let (mut depth, mut at) = (0_u32, from);
    while at + 1 < text.len() {
        match (text[at], text[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn quoted_end(text: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Returns the end of `r"…"` or `r#"…"#`; none when this is a name, also a raw one (`r#type`).
fn raw_end(text: &[char], from: usize) -> Option<usize> {
    let hashes = text[from + 1..].iter().take_while(|c| **c == '#').count();
    let open = from + 1 + hashes;
    if text.get(open) != Some(&'"') {
        return None;
    }
    let closes = |at: &usize| text[*at] == '"' && text[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    Some((open + 1..text.len()).find(closes).map_or(text.len(), |at| at + 1 + hashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn masks(text: &str, expected: &str) {
        let masked: String = Source::of(text).masked.iter().collect();
        assert_eq!(masked, expected);
    }

    #[test]
    fn comments_and_texts_are_blank() {
        masks("a // b\nc", "a     \nc");
        masks("a /* b /* c */ d */ e", "a                   e");
        masks(r#"f("}\"{", '{', '\'')"#, "f(      ,    ,     )");
        masks("r#\"{\"#; r#type; 'a: &'b", "      ; r#type; 'a: &'b");
    }

    #[test]
    fn lines_stay_where_they_were() {
        masks("\"a\nb\" c", "  \n   c");
    }

    #[test]
    fn functions_are_found_with_their_code_lines() {
        let source = Source::of("fn one(a: [u8; 2]) -> u8 {\n    // why\n\n    2\n}\ntrait T { fn two(&self); }\n");
        let expected = Function { name: "one".to_owned(), first_line: 1, last_line: 5, code_lines: 1 };
        assert_eq!(source.functions(), [expected]);
    }

    #[test]
    fn the_innermost_function_is_around_a_line() {
        let source = Source::of("fn outer() {\n    fn inner() {\n        x();\n    }\n    y();\n}\n");
        let name = |line| source.function_around(line).map(|function| function.name);
        assert_eq!((name(3).as_deref(), name(5).as_deref(), name(9)), (Some("inner"), Some("outer"), None));
    }
}
