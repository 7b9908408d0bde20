//! Text from elsewhere, made safe for a terminal, and numbers for people.

/// Returns the text with every control character but line breaks written as an escape, so that nothing that a plugin or a service
/// says can move the cursor, change colours or hide itself.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => cleaned.push('\n'),
            '\t' => cleaned.push_str("    "),
            c if c.is_control() || is_direction(c) => cleaned.extend(c.escape_unicode()),
            c => cleaned.push(c),
        }
    }
    cleaned
}

/// Returns the text on one line, safe for a terminal.
pub fn line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// Characters that turn the writing direction can make a text read as what it is not.
fn is_direction(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// Returns a duration in milliseconds as people say it: `250ms`, `4.2s`, `5m`, `1h30m`.
pub fn duration(millis: i64) -> String {
    let millis = millis.max(0);
    let (hours, minutes, seconds) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1_000 % 60);
    match (hours, minutes) {
        (0, 0) if millis < 1_000 => format!("{millis}ms"),
        (0, 0) if millis < 10_000 => format!("{seconds}.{}s", millis / 100 % 10),
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds:02}s"),
        (1..=23, _) => format!("{hours}h{minutes:02}m"),
        _ => format!("{}d{}h", hours / 24, hours % 24),
    }
}

/// Returns the time of day of an instant, in UTC: `14:03:59`.
pub fn time_of_day(unix_millis: i64) -> String {
    let seconds = unix_millis.div_euclid(1_000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Returns a share of traffic in percent: `5%`, `0.25%`.
pub fn percent(basis_points: u32) -> String {
    match basis_points % 100 {
        0 => format!("{}%", basis_points / 100),
        part => format!("{}.{part:02}%", basis_points / 100),
    }
}

/// Returns a number with as many digits as people need.
pub fn number(value: f64) -> String {
    let text = match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    };
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Returns the first `width` characters, with a mark where something was cut.
pub fn cut(text: &str, width: usize) -> String {
    match text.chars().count() > width {
        false => text.to_owned(),
        true => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_as_a_command() {
        assert_eq!(clean("a\x1b[2Jb\rc\u{9b}d\u{202e}e"), r"a\u{1b}[2Jb\u{d}c\u{9b}d\u{202e}e");
        assert_eq!(clean("two\nlines\tand a tab"), "two\nlines    and a tab");
        assert_eq!(line("two\nlines"), "two lines");
    }

    #[test]
    fn durations_and_shares_read_as_people_say_them() {
        let said = [0, 250, 4_200, 42_000, 330_000, 5_400_000, 90_000_000].map(duration);
        assert_eq!(said, ["0ms", "250ms", "4.2s", "42s", "5m30s", "1h30m", "1d1h"]);
        assert_eq!([0, 25, 500, 10_000].map(percent), ["0%", "0.25%", "5%", "100%"]);
        assert_eq!([0.0, 0.0125, 1.5, 250.4].map(number), ["0", "0.0125", "1.5", "250"]);
        assert_eq!(time_of_day(1_000 * (86_400 + 3_661)), "01:01:01");
    }

    #[test]
    fn a_cut_is_visible() {
        assert_eq!([cut("four", 4), cut("fives", 4)], ["four", "fiv…"]);
    }
}
