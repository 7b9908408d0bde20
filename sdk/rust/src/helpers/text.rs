//! Texts from outside in sentences for people, and values inside of other languages.

/// Returns a text of the outside world as a part of one line: what a terminal would obey is gone (control characters, escape sequences,
/// marks that turn the direction of writing), blanks are one space, and it is at most this many characters long, with `…` at a cut.
pub fn clean(text: &str, characters_max: usize) -> String {
    let (mut cleaned, mut length, mut blank) = (String::new(), 0, false);
    let mut left = text.chars();
    while let Some(character) = left.next() {
        match character {
            '\u{1b}' => {
                skip_sequence(&mut left);
                continue;
            }
            '\u{9b}' => {
                skip_parameters(&mut left);
                continue;
            }
            _ if is_invisible(character) => continue,
            _ if character.is_whitespace() || character.is_control() => {
                blank = true;
                continue;
            }
            _ => {}
        }
        let needed = 1 + usize::from(blank && length > 0);
        if length + needed > characters_max {
            // The mark takes the place of the last character, so that the whole is not longer than it may be.
            if cleaned.pop().is_some() {
                cleaned.push('…');
            }
            return cleaned;
        }
        if blank && length > 0 {
            cleaned.push(' ');
        }
        cleaned.push(character);
        (length, blank) = (length + needed, false);
    }
    cleaned
}

/// Skips the rest of a sequence that began with an escape character.
fn skip_sequence(left: &mut std::str::Chars<'_>) {
    match left.next() {
        Some('[') => skip_parameters(left),
        // A title or a link, up to a bell or an escape and a backslash.
        Some(']' | 'P' | '^' | '_' | 'X') => {
            while let Some(character) = left.next() {
                if character == '\u{7}' || (character == '\u{1b}' && left.next().is_some()) {
                    return;
                }
            }
        }
        Some(_) | None => {}
    }
}

/// Skips up to the letter that says what the sequence does.
fn skip_parameters(left: &mut std::str::Chars<'_>) {
    for character in left {
        if ('\u{40}'..='\u{7e}').contains(&character) {
            return;
        }
    }
}

/// Returns whether a character changes how others are shown and is itself not seen.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}')
}

/// Returns a text as a part of an address: all but letters, digits and `-._~` as `%` and two digits (RFC 3986, section 2.1). Neither a slash
/// nor a question mark in it can change where the address leads.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Returns a text as a regular expression that fits this text alone, for the engines of Rust and Go (RE2).
pub fn regex_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_gone() {
        for (text, expect) in [
            ("a  b\n\tc ", "a b c"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "link"),
            ("\u{1b}[", ""),
            ("\u{1b}", ""),
            ("nul\0bell\u{7}", "nul bell"),
            ("a\u{202e}b\u{200b}c", "abc"),
            ("größe", "größe"),
        ] {
            assert_eq!(clean(text, 100), expect, "{text:?}");
        }
    }

    #[test]
    fn it_is_never_longer_than_it_may_be() {
        assert_eq!(clean("abcdef", 6), "abcdef");
        assert_eq!(clean("abcdefg", 6), "abcde…");
        assert_eq!(clean("abcde fg", 6), "abcd…");
        assert_eq!(clean("ab", 0), "");
        assert!(clean(&"é ".repeat(100_000), 40).chars().count() <= 40);
    }

    #[test]
    fn values_are_escaped_for_where_they_stand() {
        assert_eq!(percent_encoded("a/b?c=d é"), "a%2Fb%3Fc%3Dd%20%C3%A9");
        assert_eq!(regex_escaped("v1.2+b(3)-$"), r"v1\.2\+b\(3\)-\$");
    }
}
