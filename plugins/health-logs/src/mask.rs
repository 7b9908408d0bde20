//! What is left of a line when all that varies from one to the next is masked: numbers, times, names of things, texts in quotes, paths.
//!
//! Two lines of one form become the same text. It is also what is told of a line: what people must not read in a journal (tokens, addresses,
//! what a customer typed) is masked with the rest. Lines in JSON and in `key=value` keep their level and their message.

use serde_json::Value;
use towpath_sdk::helpers::text::clean;

/// How much of a line is masked, in characters: the forms of longer lines differ before.
const CHARACTERS_MAX: usize = 400;

/// A structured line inside of a structured line: what a container's runtime wraps around what a service wrote.
const NESTED_MAX: u32 = 2;

/// Fields that say how much a line matters.
const LEVELS: [&str; 4] = ["level", "severity", "lvl", "loglevel"];

/// Fields that say what a line is about.
const MESSAGES: [&str; 8] = ["message", "msg", "log", "event", "error", "err", "exception", "reason"];

/// Parts of names whose values are nobody's business.
const SECRETS: [&str; 9] = ["password", "passwd", "secret", "token", "authorization", "apikey", "api_key", "api-key", "cookie"];

/// From so many letters and digits in a row on, something was made by a machine.
const MADE_MIN: usize = 16;

/// Fewer hexadecimal digits than this are as likely a word.
const HEX_MIN: usize = 8;

/// What is hidden next, because of what stood before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hide {
    Nothing,
    /// The next word or text.
    Word,
    /// All up to a comma or the end of what it is in.
    Rest,
}

/// Returns the form of a line.
pub(crate) fn mask(line: &str) -> String {
    let text = structured(line, NESTED_MAX).unwrap_or_else(|| line.to_owned());
    Masking::of(&clean(&text, CHARACTERS_MAX))
}

/// Returns level and message of a line of JSON; its keys where it has neither. `None` for all other lines.
fn structured(line: &str, nested_max: u32) -> Option<String> {
    let line = line.trim();
    if !line.starts_with('{') || nested_max == 0 {
        return None;
    }
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(line) else { return None };
    let texts = |names: &[&str]| -> Vec<String> {
        let known = names.iter().filter_map(|name| fields.get(*name)?.as_str());
        known.map(|text| structured(text, nested_max - 1).unwrap_or_else(|| text.to_owned())).collect()
    };
    let said = [texts(&LEVELS), texts(&MESSAGES)].concat();
    let keys = || fields.keys().map(String::as_str).collect::<Vec<_>>().join(" ");
    Some(if said.is_empty() { keys() } else { said.join(" ") })
}

/// A line on its way from left to right.
struct Masking {
    masked: String,
    hide: Hide,
}

impl Masking {
    fn of(text: &str) -> String {
        let mut masking = Self { masked: String::with_capacity(text.len()), hide: Hide::Nothing };
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let length = match character {
                '"' | '`' | '\'' => masking.quoted(character, rest),
                _ if ends_word(character) => masking.sign(character),
                _ => masking.word(rest),
            };
            rest = &rest[length..];
        }
        masking.masked
    }

    /// Takes a text in quotes, or a quote alone. Returns how long it is.
    fn quoted(&mut self, quote: char, rest: &str) -> usize {
        let inner = &rest[quote.len_utf8()..];
        // An apostrophe is no quote.
        let in_word = quote == '\'' && self.masked.ends_with(char::is_alphanumeric);
        let Some(end) = closing(inner, quote).filter(|_| !in_word) else {
            self.masked.push(quote);
            return quote.len_utf8();
        };
        let is_message =
            MESSAGES.iter().any(|name| self.masked.strip_suffix('=').is_some_and(|before| ends_with_word(before, name)));
        let shown = match (self.hide, is_message) {
            (Hide::Word | Hide::Rest, _) => "<hidden>".to_owned(),
            (Hide::Nothing, true) => Self::of(&inner[..end]),
            (Hide::Nothing, false) => "<text>".to_owned(),
        };
        self.masked.push_str(&shown);
        self.hide = if self.hide == Hide::Word { Hide::Nothing } else { self.hide };
        quote.len_utf8() * 2 + end
    }

    /// Takes a character that ends a word. Returns how long it is.
    fn sign(&mut self, sign: char) -> usize {
        match sign {
            '=' if names_secret(last_word(&self.masked)) => self.hide = Hide::Word,
            ',' | ';' | '}' | ')' | ']' | '|' => self.hide = Hide::Nothing,
            _ => {}
        }
        self.masked.push(sign);
        sign.len_utf8()
    }

    /// Takes a word. Returns how long it is.
    fn word(&mut self, rest: &str) -> usize {
        let word = &rest[..rest.find(ends_word).unwrap_or(rest.len())];
        match self.hide {
            Hide::Word => {
                self.masked.push_str("<hidden>");
                self.hide = Hide::Nothing;
            }
            Hide::Rest if self.masked.ends_with("<hidden> ") => {
                // Several hidden words are one.
                self.masked.pop();
            }
            Hide::Rest => self.masked.push_str("<hidden>"),
            Hide::Nothing => self.shown(word),
        }
        word.len()
    }

    fn shown(&mut self, word: &str) {
        let plain = word.trim_end_matches(['.', ':', '!', '?']);
        let end = &word[plain.len()..];
        match plain.split_once(':') {
            // password:hunter2
            Some((name, _)) if names_secret(name) => {
                self.masked.push_str(name);
                self.masked.push_str(":<hidden>");
            }
            _ => self.masked.push_str(&masked(plain)),
        }
        self.masked.push_str(end);
        if end.ends_with(':') && names_secret(plain) {
            self.hide = Hide::Rest;
        } else if ["bearer", "basic"].contains(&plain.to_ascii_lowercase().as_str()) {
            self.hide = Hide::Word;
        }
    }
}

/// Returns what is told of a word.
fn masked(word: &str) -> String {
    let bytes = word.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    if word.contains('\u{fffd}') {
        "<bytes>".to_owned()
    } else if is_path(word) {
        "<path>".to_owned()
    } else if word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')) {
        "<address>".to_owned()
    } else if digits > 0 && (is_hexadecimal(word) || is_made(word)) {
        "<id>".to_owned()
    } else if word.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit()) {
        "<n>".to_owned()
    } else if digits > 0 {
        without_digits(word)
    } else {
        word.to_owned()
    }
}

fn is_path(word: &str) -> bool {
    word.contains("://")
        || word.contains('\\')
        || (word.len() > 1 && ["/", "./", "../", "~/"].iter().any(|start| word.starts_with(start)))
        || word.matches('/').count() > 1
}

/// Returns whether a word is a number in hexadecimal digits, groups of them with hyphens among them.
fn is_hexadecimal(word: &str) -> bool {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let only = digits.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    only && digits.bytes().any(|byte| byte.is_ascii_hexdigit()) && (digits.len() >= HEX_MIN || word.starts_with("0x"))
}

/// Returns whether a word has a long row of letters and digits mixed, as tokens and names of things have.
fn is_made(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_alphanumeric()).any(|row| {
        row.len() >= MADE_MIN
            && row.bytes().any(|byte| byte.is_ascii_digit())
            && row.bytes().any(|byte| byte.is_ascii_alphabetic())
    })
}

fn without_digits(word: &str) -> String {
    let mut masked = String::with_capacity(word.len());
    for character in word.chars() {
        if !character.is_ascii_digit() {
            masked.push(character);
        } else if !masked.ends_with("<n>") {
            masked.push_str("<n>");
        }
    }
    masked
}

fn ends_word(character: char) -> bool {
    character.is_whitespace() || "\"'`()[]{}<>,;=|".contains(character)
}

/// Returns where a text in quotes ends; a quote behind a back slash is a part of it.
fn closing(inner: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in inner.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return Some(at),
            _ => {}
        }
    }
    None
}

fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.iter().any(|secret| name.contains(secret))
}

fn last_word(text: &str) -> &str {
    text.rsplit(ends_word).next().unwrap_or(text)
}

fn ends_with_word(text: &str, word: &str) -> bool {
    last_word(text).eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: &str) {
        assert_eq!(mask(line), expect, "{line}");
    }

    #[test]
    fn what_varies_is_masked() {
        check("GET /carts/17 took 12.5ms (200)", "GET <path> took <n> (<n>)");
        check("2026-11-27T20:08:00.123Z INFO worker-3 started", "<n> INFO worker-<n> started");
        check("[20:08:00] v1.2 of 10.0.0.1:80, -5 %", "[<n>] v<n>.<n> of <n>, <n> %");
        check("order 6f1c2a9e-0b7d-4c1e-9a55-1f0e2d3c4b5a gone", "order <id> gone");
        check("at 0xdeadbeef of deadbeef01", "at <id> of <id>");
        check("trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace <id>");
        check("key AbCdEf0123456789xyz.", "key <id>.");
        check("see https://example.com/a?b=c and C:\\temp\\x", "see <path>=c and <path>");
        check("mail to ann@example.com bounced", "mail to <address> bounced");
        check("cannot open './a/b': no such file", "cannot open <text>: no such file");
        check("user \"Ann \\\"A\\\" B\" said `x`", "user <text> said <text>");
        check("panicked at src/main.rs:12:5: index 7", "panicked at src/main.rs:<n>:<n>: index <n>");
    }

    #[test]
    fn words_stay_as_they_are() {
        for line in [
            "the cafe is dead",
            "and/or n/a",
            "don't panic, it isn't",
            "org.example.log.FooException: null",
            "Größe überschritten!",
            "a \" alone",
        ] {
            check(line, line);
        }
    }

    #[test]
    fn structured_lines_keep_level_and_message() {
        check(r#"{"ts":1.5,"level":"error","msg":"cart 7 is gone","user":"ann"}"#, "error cart <n> is gone");
        check(r#"{"log":"{\"severity\":\"WARN\",\"message\":\"slow 12ms\"}\n","stream":"stdout"}"#, "WARN slow <n>");
        check(r#"{"b":1,"a":[2]}"#, "a b");
        check(r#"{"level":"error","msg":"cut"#, "{<text>:<text>,<text>:\"cut");
        check(r#"level=error msg="cart 7 is gone" user="ann" n=5"#, "level=error msg=cart <n> is gone user=<text> n=<n>");
    }

    #[test]
    fn secrets_are_hidden() {
        check("password=hunter level=info", "password=<hidden> level=info");
        check("login with DB_PASSWORD=\"a b\" failed", "login with DB_PASSWORD=<hidden> failed");
        check("password:hunter failed", "password:<hidden> failed");
        check("Authorization: Bearer abc def, then", "Authorization: <hidden>, then");
        check("sent Bearer abcdef and Basic Zm9v", "sent Bearer <hidden> and Basic <hidden>");
        check("set-cookie: sid=abc; Secure", "set-cookie: <hidden>=<hidden>; Secure");
    }

    #[test]
    fn garbage_is_short_and_has_no_end_of_forms() {
        check("\u{1b}[31mred\u{1b}[0m \0\u{7}x", "red x");
        let garbage = String::from_utf8_lossy(&[0xff, 0xfe, b'a', 0x80, b' ', 0xc0, b'b', 0x00, b'c']).into_owned();
        check(&garbage, "<bytes> <bytes> c");
        assert!(mask(&"x".repeat(1 << 20)).len() <= 410);
        assert!(mask(&"{".repeat(1 << 20)).len() <= 410);
        check("", "");
    }
}
