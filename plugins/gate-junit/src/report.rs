//! Reading a JUnit report: `<testsuites>` or `<testsuite>`, as many deep as the tool likes, with `<testcase>` in them.
//!
//! Test cases are counted rather than the attributes of suites: what is there cannot be misstated. Declarations of document types
//! are refused, so no entity is ever expanded.

use std::fmt;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// The largest report that is read; ten thousand tests make about two megabytes.
const REPORT_BYTES_MAX: usize = 16 << 20;

/// How deep elements may be nested; suites of suites are rarely five deep.
const DEPTH_MAX: usize = 64;

/// What a report says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Tests that ran.
    pub(crate) run: u32,
    /// Those that failed, or ended in an error.
    pub(crate) failed: u32,
    /// Tests that were skipped.
    pub(crate) skipped: u32,
    /// The names of those that failed.
    pub(crate) names: Vec<String>,
}

/// Why a report cannot be read, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    line: usize,
    column: usize,
    why: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}: {}", self.line, self.column, self.why)
    }
}

impl Report {
    pub(crate) fn add(&mut self, other: Self) {
        self.run += other.run;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.names.extend(other.names);
    }

    fn count(&mut self, case: Case) {
        match case.result {
            CaseResult::Passed => self.run += 1,
            CaseResult::Skipped => self.skipped += 1,
            CaseResult::Failed => {
                self.run += 1;
                self.failed += 1;
                self.names.push(case.name);
            }
        }
    }
}

/// One test case on the way.
struct Case {
    name: String,
    depth: usize,
    result: CaseResult,
}

/// What became of a test case. A case that says it failed and was skipped failed.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum CaseResult {
    Passed,
    Skipped,
    Failed,
}

/// Where in a report we are.
#[derive(Default)]
struct Reading {
    open: Vec<String>,
    case: Option<Case>,
    root_seen: bool,
    report: Report,
}

/// Reads a report to its end.
pub(crate) fn read(content: &[u8]) -> Result<Report, Unreadable> {
    if content.len() > REPORT_BYTES_MAX {
        return Err(Unreadable {
            line: 1,
            column: 1,
            why: format!("it has {} bytes, at most {REPORT_BYTES_MAX} are read", content.len()),
        });
    }
    let text = std::str::from_utf8(content).map_err(|error| at(content, error.valid_up_to(), "it is not UTF-8".to_owned()))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    // Byte positions are those of the text after the mark.
    let mark = content.len() - text.trim_start_matches('\u{feff}').len();
    let mut reading = Reading::default();
    loop {
        let before = reader.buffer_position();
        let event = reader.read_event().map_err(|error| {
            let position = usize::try_from(reader.error_position()).unwrap_or(content.len());
            at(content, mark + position, error.to_string())
        })?;
        match reading.take(event) {
            Ok(true) => {}
            Ok(false) => return Ok(reading.report),
            Err(why) => return Err(at(content, mark + usize::try_from(before).unwrap_or(content.len()), why)),
        }
    }
}

impl Reading {
    /// Takes one event in; `false` at the end.
    fn take(&mut self, event: Event<'_>) -> Result<bool, String> {
        match event {
            Event::Start(start) => self.start(&start)?,
            Event::Empty(start) => {
                self.start(&start)?;
                self.end();
            }
            Event::End(_) => self.end(),
            Event::DocType(_) => return Err("a document type is declared, which a test report does not need".to_owned()),
            Event::Eof => return self.ended(),
            Event::Text(text) if self.open.is_empty() && !text.trim().is_empty() => {
                return Err("there is text outside of the report".to_owned());
            }
            Event::Text(_) | Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::GeneralRef(_) => {}
        }
        Ok(true)
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        let name = start.name().as_ref().to_owned();
        if self.open.is_empty() {
            self.root(&name)?;
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("elements are nested more than {DEPTH_MAX} deep"));
        }
        let depth = self.open.len();
        match (name.as_str(), &mut self.case) {
            ("testcase", Some(_)) => return Err("a testcase stands in a testcase".to_owned()),
            ("testcase", none) => *none = Some(Case { name: case_name(start)?, depth, result: CaseResult::Passed }),
            ("failure" | "error", Some(case)) if depth == case.depth + 1 => case.result = CaseResult::Failed,
            ("skipped", Some(case)) if depth == case.depth + 1 && case.result == CaseResult::Passed => {
                case.result = CaseResult::Skipped
            }
            _ => {}
        }
        self.open.push(name);
        Ok(())
    }

    fn root(&mut self, name: &str) -> Result<(), String> {
        if std::mem::replace(&mut self.root_seen, true) {
            return Err("there is a second report after the first".to_owned());
        }
        match name {
            "testsuites" | "testsuite" => Ok(()),
            other => Err(format!("it begins with <{other}>, expected <testsuites> or <testsuite>")),
        }
    }

    fn end(&mut self) {
        self.open.pop();
        let ended = self.case.as_ref().is_some_and(|case| case.depth == self.open.len());
        if let Some(case) = self.case.take_if(|_| ended) {
            self.report.count(case);
        }
    }

    fn ended(&self) -> Result<bool, String> {
        match self.open.last() {
            Some(open) => Err(format!("it ends inside of <{open}>")),
            None if !self.root_seen => Err("it is empty".to_owned()),
            None => Ok(false),
        }
    }
}

/// Returns `class.name` of a test case.
fn case_name(start: &BytesStart<'_>) -> Result<String, String> {
    let mut names = [None, None];
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let slot = match attribute.key.as_ref() {
            "classname" => 0,
            "name" => 1,
            _ => continue,
        };
        names[slot] = Some(attribute.value.into_owned());
    }
    Ok(names.into_iter().flatten().collect::<Vec<_>>().join("."))
}

fn at(content: &[u8], position: usize, why: String) -> Unreadable {
    let before = &content[..position.min(content.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |found| found + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    Unreadable { line, column, why }
}
