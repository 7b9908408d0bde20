//! How letters and answers are written.

use journal::{RequestId, record};
use model::{Actor, Command, DeploymentId, EnvironmentName, Event, PlanHash, Scope, ServiceName};
use serde::{Deserialize, Serialize};

use crate::{Accepted, CommandRequest, EngineError, StartRequest};

/// What a letter asks for.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Start(StartRequest),
    Command(CommandRequest),
}

#[derive(Serialize, Deserialize)]
struct Letter {
    service: String,
    environment: String,
    request: Option<String>,
    actor: String,
    groups: Vec<String>,
    /// Servers of earlier versions do not say it.
    #[serde(default)]
    from: String,
    wish: Wish,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wish {
    /// The event that the request would be, in the journal's form, which has a version of its own.
    Start {
        version: u32,
        requested: String,
    },
    Command {
        deployment: String,
        expected_version: Option<u64>,
        word: Word,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Pause { reason: String },
    Resume,
    Promote,
    Abort { reason: String },
    Rollback { reason: String },
    Approve { plan: String },
    Reject { reason: String },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Accepted { deployment: String, version: u64, repeated: bool },
    NotFound { deployment: String },
    VersionMoved { deployment: String, expected: u64, found: u64 },
    RequestReused { request: String, deployment: String },
    Refused { message: String },
    Failed { message: String },
}

/// Returns what a person says with a command, without who says it and from where: whoever tries again may do so from elsewhere.
pub(crate) fn words(command: &Command) -> String {
    text(&Word::of(command))
}

/// Returns a letter's text.
pub(super) fn write(scope: &Scope, asked: &Asked) -> String {
    let (request, by, wish) = match asked {
        Asked::Start(asked) => {
            let id = DeploymentId::new("unborn").expect("BUG: a word is a valid id");
            let events = machine::request(id, asked.plan.clone(), asked.by.clone(), model::Timestamp(0));
            let requested = events.first().map(|event| String::from_utf8_lossy(&record::write(event)).into_owned());
            let requested = requested.expect("BUG: a request has an event");
            (&asked.request, &asked.by, Wish::Start { version: record::VERSION, requested })
        }
        Asked::Command(asked) => {
            let (deployment, expected_version) = (asked.deployment.to_string(), asked.expected_version);
            let word = Word::of(&asked.command).expect("BUG: only what people say is put in letters");
            (&asked.request, &asked.by, Wish::Command { deployment, expected_version, word })
        }
    };
    text(&Letter {
        service: scope.service.to_string(),
        environment: scope.environment.to_string(),
        request: request.as_ref().map(|request| request.0.clone()),
        actor: by.name.clone(),
        groups: by.groups.clone(),
        from: by.from.clone(),
        wish,
    })
}

/// Returns what a letter asks for, and in which scope.
pub(super) fn read(letter: &str) -> Result<(Scope, Asked), String> {
    let letter: Letter = serde_json::from_str(letter).map_err(|error| error.to_string())?;
    let scope = Scope {
        service: ServiceName::new(&letter.service).map_err(|error| error.to_string())?,
        environment: EnvironmentName::new(&letter.environment).map_err(|error| error.to_string())?,
    };
    let by = Actor { name: letter.actor, groups: letter.groups, from: letter.from };
    let request = letter.request.map(RequestId);
    let asked = match letter.wish {
        Wish::Start { version, requested } => match record::read(version, requested.as_bytes()) {
            Ok(Event::Requested { plan, .. }) => Asked::Start(StartRequest { request, plan, by }),
            Ok(_) => return Err("it holds another event than a request".to_owned()),
            Err(error) => return Err(error.to_string()),
        },
        Wish::Command { deployment, expected_version, word } => {
            let deployment = DeploymentId::new(&deployment).map_err(|error| error.to_string())?;
            let command = word.by(by.clone())?;
            Asked::Command(CommandRequest { request, expected_version, deployment, by, command })
        }
    };
    Ok((scope, asked))
}

pub(super) fn write_answer(result: &Result<Accepted, EngineError>) -> String {
    text(&match result {
        Ok(Accepted { deployment, version, repeated }) => {
            Answer::Accepted { deployment: deployment.to_string(), version: *version, repeated: *repeated }
        }
        Err(EngineError::NotFound(deployment)) => Answer::NotFound { deployment: deployment.to_string() },
        Err(EngineError::VersionMoved { deployment, expected, found }) => {
            Answer::VersionMoved { deployment: deployment.to_string(), expected: *expected, found: *found }
        }
        Err(EngineError::RequestReused { request, deployment }) => {
            Answer::RequestReused { request: request.clone(), deployment: deployment.to_string() }
        }
        Err(error @ (EngineError::Refused(_) | EngineError::Plan(_))) => Answer::Refused { message: error.to_string() },
        Err(error) => Answer::Failed { message: error.to_string() },
    })
}

/// Returns what an answer says; the outer error is one of reading it.
pub(super) fn read_answer(answer: &str) -> Result<Result<Accepted, EngineError>, EngineError> {
    let id = |id: &str| DeploymentId::new(id).map_err(|error| EngineError::FailedThere(error.to_string()));
    let answer = serde_json::from_str(answer).map_err(|error| EngineError::FailedThere(error.to_string()))?;
    Ok(match answer {
        Answer::Accepted { deployment, version, repeated } => Ok(Accepted { deployment: id(&deployment)?, version, repeated }),
        Answer::NotFound { deployment } => Err(EngineError::NotFound(id(&deployment)?)),
        Answer::VersionMoved { deployment, expected, found } => {
            Err(EngineError::VersionMoved { deployment: id(&deployment)?, expected, found })
        }
        Answer::RequestReused { request, deployment } => {
            Err(EngineError::RequestReused { request, deployment: id(&deployment)? })
        }
        Answer::Refused { message } => Err(EngineError::RefusedThere(message)),
        Answer::Failed { message } => Err(EngineError::FailedThere(message)),
    })
}

impl Word {
    /// Returns what people can say; `None` for what the engine says to itself.
    fn of(command: &Command) -> Option<Self> {
        Some(match command {
            Command::Pause { reason, .. } => Self::Pause { reason: reason.clone() },
            Command::Resume { .. } => Self::Resume,
            Command::Promote { .. } => Self::Promote,
            Command::Abort { reason, .. } => Self::Abort { reason: reason.clone() },
            Command::Rollback { reason, .. } => Self::Rollback { reason: reason.clone() },
            Command::Approve { plan, .. } => Self::Approve { plan: plan.to_string() },
            Command::Reject { reason, .. } => Self::Reject { reason: reason.clone() },
            Command::Activate { .. } | Command::Report(_) | Command::Tick | Command::Recover | Command::Supersede { .. } => {
                return None;
            }
        })
    }

    fn by(self, by: Actor) -> Result<Command, String> {
        Ok(match self {
            Self::Pause { reason } => Command::Pause { by, reason },
            Self::Resume => Command::Resume { by },
            Self::Promote => Command::Promote { by },
            Self::Abort { reason } => Command::Abort { by, reason },
            Self::Rollback { reason } => Command::Rollback { by, reason },
            Self::Approve { plan } => Command::Approve { by, plan: PlanHash::new(&plan).map_err(|error| error.to_string())? },
            Self::Reject { reason } => Command::Reject { by, reason },
        })
    }
}

fn text(form: &impl Serialize) -> String {
    serde_json::to_string(form).expect("BUG: a letter's form is always JSON")
}
