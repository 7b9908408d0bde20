//! Lines of a Loki: `GET /loki/api/v1/query_range` (its HTTP API, version 1), page by page.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use towpath_sdk::helpers::placeholders::Placeholders;
use towpath_sdk::helpers::text::{clean, percent_encoded};
use towpath_sdk::powers::clock;
use towpath_sdk::powers::http::{Error, Request, Response};
use towpath_sdk::prelude::*;

use super::{BYTES_MAX, LINES_MAX, Line, Of, RESERVE_MS, Reading, Unread, cut, span_ms};
use crate::logql::{Wrong, filled};
use crate::settings::{Loki, Settings};

/// Lines of a page: a Loki gives at most 5000, and an answer must fit into what the host takes.
const PAGE_LINES: usize = 1_000;

/// The smallest page that is asked for when larger ones are more than the host takes.
const PAGE_LINES_MIN: usize = 50;

/// Questions for one side in a look.
const QUESTIONS_MAX: usize = 8;

/// Questions for what is usual.
const QUESTIONS_BEFORE_MAX: usize = 3;

/// How much of an answer that is none stands in a sentence, in characters.
const SHOWN_MAX: usize = 120;

/// What a clock that is read to the second can be off by, in milliseconds.
const SECOND_MS: i64 = 1_000;

/// What an answer says that it is.
#[derive(Deserialize)]
struct Typed {
    data: Type,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Type {
    result_type: String,
}

/// An answer of lines.
#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    #[serde(default)]
    stream: BTreeMap<String, String>,
    values: Vec<Entry>,
}

/// A time in nanoseconds and a line; newer servers add what they know of it.
struct Entry {
    at: String,
    line: String,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of a time and a line")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entry, A::Error> {
        let missing = |length| serde::de::Error::invalid_length(length, &self);
        let at = list.next_element()?.ok_or_else(|| missing(0))?;
        let line = list.next_element()?.ok_or_else(|| missing(1))?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entry { at, line })
    }
}

/// One question.
struct Question<'a> {
    look: &'a Look<Settings>,
    loki: &'a Loki,
    side: &'static str,
    query: String,
    /// Lines of a page; halved when a page is more than the host takes.
    limit: usize,
    left: usize,
}

/// Reads page by page from the beginning on. What is behind the last page that a look may ask for is left out.
pub(super) fn read(look: &Look<Settings>, loki: &Loki, of: Of<'_>, from_ns: i64, until_ns: i64) -> Result<Reading, Unread> {
    let mut question = Question::new(look, loki, of, QUESTIONS_MAX)?;
    let span = span_ms(from_ns, until_ns);
    let mut lines: Vec<Line> = Vec::new();
    let mut next_ns = from_ns;
    loop {
        let known = seen_at(&lines, next_ns);
        let Some(page) = question.ask(next_ns, until_ns, "forward")? else {
            return Ok(Reading { lines, span_ms: span, read_ms: span_ms(from_ns, next_ns) });
        };
        let (full, last_ns) = (page.len() >= question.limit, page.iter().map(|line| line.at_ns).max());
        lines.extend(without(page, known));
        match last_ns {
            // A page in which all lines have one time would come again and again; what else has this time is left out.
            Some(last_ns) if full => next_ns = if last_ns > next_ns { last_ns } else { next_ns.saturating_add(1) },
            Some(_) | None => return Ok(Reading { lines, span_ms: span, read_ms: span }),
        }
        let bytes: usize = lines.iter().map(|line| line.text.len()).sum();
        if lines.len() + question.limit > LINES_MAX || bytes > BYTES_MAX {
            return Ok(Reading { lines, span_ms: span, read_ms: span_ms(from_ns, next_ns) });
        }
    }
}

/// Reads page by page backwards.
pub(super) fn read_before(
    look: &Look<Settings>,
    loki: &Loki,
    of: Of<'_>,
    minutes: u32,
    until_ns: i64,
) -> Result<Vec<Line>, Unread> {
    let mut question = Question::new(look, loki, of, QUESTIONS_BEFORE_MAX)?;
    let from_ns = until_ns.saturating_sub(i64::from(minutes) * 60_000_000_000).max(0);
    let (mut lines, mut end_ns) = (Vec::new(), until_ns);
    while end_ns > from_ns {
        let Some(page) = question.ask(from_ns, end_ns, "backward")? else { break };
        let (full, first_ns) = (page.len() >= question.limit, page.iter().map(|line| line.at_ns).min());
        lines.extend(page);
        match first_ns {
            Some(first_ns) if full => end_ns = first_ns,
            Some(_) | None => break,
        }
    }
    Ok(lines)
}

impl<'a> Question<'a> {
    fn new(look: &'a Look<Settings>, loki: &'a Loki, of: Of<'a>, questions: usize) -> Result<Self, Unread> {
        let known = Placeholders::of(&look.context).on(of.side, of.subject);
        let query = filled(&loki.query, |name| known.value(name));
        let query = query.map_err(|wrong| match &wrong {
            Wrong::Unknown(name) if ["release", "label", "endpoint"].contains(&name.0.as_str()) => {
                Unread::Unsure(format!("the {} has no {}, which ${} in loki.query stands for", of.side.as_str(), name.0, name.0))
            }
            Wrong::Unknown(_) | Wrong::Outside(_) | Wrong::Backtick(_) => Unread::Error(wrong.to_string()),
        })?;
        Ok(Self { look, loki, side: of.side.as_str(), query, limit: PAGE_LINES, left: questions })
    }

    /// Returns the lines of a page; `None` when the look has no more questions or no more time.
    fn ask(&mut self, from_ns: i64, until_ns: i64, direction: &str) -> Result<Option<Vec<Line>>, Unread> {
        loop {
            let left_ms = self.look.left_ms().saturating_sub(RESERVE_MS);
            if self.left == 0 || left_ms == 0 {
                return Ok(None);
            }
            self.left -= 1;
            match self.request(from_ns, until_ns, direction).timeout_ms(self.loki.timeout_ms.min(left_ms)).send() {
                Err(Error::TooLarge(_)) if self.limit > PAGE_LINES_MIN => self.limit = (self.limit / 4).max(PAGE_LINES_MIN),
                Err(error) => return Err(self.error(&format!("cannot be asked: {}", error.sentence()))),
                Ok(answer) => return self.lines(&answer, from_ns, until_ns).map(Some),
            }
        }
    }

    fn request(&self, from_ns: i64, until_ns: i64, direction: &str) -> Request {
        let base = self.loki.url.trim_end_matches('/');
        let (query, limit) = (percent_encoded(&self.query), self.limit);
        let range = format!("start={from_ns}&end={until_ns}&limit={limit}&direction={direction}");
        let request =
            Request::get(format!("{base}/loki/api/v1/query_range?query={query}&{range}")).header("accept", "application/json");
        match &self.loki.tenant {
            Some(tenant) => request.header("x-scope-orgid", tenant.clone()),
            None => request,
        }
    }

    fn lines(&self, answer: &Response, from_ns: i64, until_ns: i64) -> Result<Vec<Line>, Unread> {
        if answer.status != 200 {
            return Err(self.error(&format!("answered with status {}, expected 200: {}", answer.status, begins(answer))));
        }
        self.check_clock(answer)?;
        let no_lines =
            |error: serde_json::Error| self.error(&format!("answered with {}, which are no lines: {error}", begins(answer)));
        let found = serde_json::from_slice::<Typed>(&answer.body).map_err(no_lines)?.data.result_type;
        if found != "streams" {
            let found = clean(&found, 40);
            return Err(self.error(&format!(
                "gave a result of type {found:?}, expected \"streams\": the query must give lines, not numbers"
            )));
        }
        let streams = serde_json::from_slice::<Answer>(&answer.body).map_err(no_lines)?.data.result;
        let mut lines = Vec::new();
        for stream in streams {
            let number = hash(format!("{:?}", stream.stream).as_bytes());
            for entry in stream.values {
                let unread = || self.error(&format!("gave the time {:?}, expected nanoseconds", clean(&entry.at, 40)));
                let at_ns = entry.at.parse::<i64>().map_err(|_| unread())?;
                lines.push(Line { at_ns, stream: number, text: cut(entry.line) });
            }
        }
        // Who takes the end as part of the range gives lines that come again at the next look.
        lines.retain(|line| (from_ns..until_ns).contains(&line.at_ns));
        Ok(lines)
    }

    /// Windows are of our clock and lines of theirs.
    fn check_clock(&self, answer: &Response) -> Result<(), Unread> {
        let Some(skew_ms) = answer.date_ms().map(|date_ms| date_ms - clock::now_ms()) else { return Ok(()) };
        let max = i64::from(self.loki.clock_skew_ms_max);
        if skew_ms.abs() <= max + SECOND_MS {
            return Ok(());
        }
        let ahead = if skew_ms > 0 { "ahead of" } else { "behind" };
        let (skew, max) = (skew_ms.abs() / 1_000, max / 1_000);
        Err(Unread::Unsure(format!(
            "the Loki's clock is {skew} s {ahead} ours, at most {max} s may be: which lines are of the watch is not known"
        )))
    }

    fn error(&self, why: &str) -> Unread {
        Unread::Error(format!("the Loki {why} (for the {}'s lines)", self.side))
    }
}

/// Returns how often lines of one time were read, by what they are.
fn seen_at(lines: &[Line], at_ns: i64) -> HashMap<u64, usize> {
    let mut seen = HashMap::new();
    for line in lines.iter().rev().filter(|line| line.at_ns == at_ns) {
        *seen.entry(identity(line)).or_default() += 1;
    }
    seen
}

/// Returns a page without the lines that were read before: those of the time at which the page begins.
fn without(page: Vec<Line>, mut seen: HashMap<u64, usize>) -> Vec<Line> {
    if seen.is_empty() {
        return page;
    }
    let is_new = |line: &Line| match seen.get_mut(&identity(line)) {
        Some(times) if *times > 0 => {
            *times -= 1;
            false
        }
        Some(_) | None => true,
    };
    page.into_iter().filter(is_new).collect()
}

fn identity(line: &Line) -> u64 {
    hash(format!("{} {} {}", line.at_ns, line.stream, line.text).as_bytes())
}

/// Returns a number of a text (FNV-1a, 64 bits): equal texts have equal ones.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Returns how an answer begins, and what it says that it is.
fn begins(answer: &Response) -> String {
    let kind = answer.header("content-type").map_or_else(|| "nothing of a type".to_owned(), |kind| clean(kind, 60));
    format!("{kind} \"{}\"", clean(&String::from_utf8_lossy(&answer.body), SHOWN_MAX))
}
