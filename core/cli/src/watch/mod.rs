//! Following a deployment: a live view on a terminal, plain lines elsewhere, one JSON object per line for programs.
//!
//! A broken connection is not the end of a watch: it is resumed behind the last version that was seen, also at another address
//! when the server was started again.

pub(crate) mod frame;

mod follow;
mod lines;
mod live;

use std::time::Duration;

use tokio::sync::mpsc;
use towpath_proto::v1;

use crate::client::Client;
use crate::clock;
use crate::error::{Error, Exit};
use crate::json;
use crate::output::Output;
use follow::{Followed, Following};

/// How often the live view is drawn again while nothing happens: times on it go on.
const REDRAW: Duration = Duration::from_millis(250);

/// Updates that are read ahead of the drawing: enough to keep the stream moving, few enough that none is old.
const UPDATES_AHEAD: usize = 16;

/// Follows a deployment to its end; the exit code tells how it ended.
pub(crate) async fn watch(client: Client, deployment: &str, output: &mut Output) -> Result<Exit, Error> {
    let (following, mut followed) = mpsc::channel(UPDATES_AHEAD);
    // In a task of its own: the drawing of a picture must not break off an attempt to connect.
    let task = tokio::spawn(Following::new(client, output.context.clone(), deployment).run(following));
    let mut show = match (output.context.json, output.context.terminal) {
        (true, _) => Show::Json,
        (false, true) => Show::Live(live::Live::default()),
        (false, false) => Show::Lines(lines::Lines::default()),
    };
    let mut redraw = tokio::time::interval(REDRAW);
    let mut last: Option<v1::DeploymentUpdate> = None;
    loop {
        tokio::select! {
            next = followed.recv() => match next.transpose()? {
                Some(Followed::Update(update)) => {
                    show.update(&update, output)?;
                    last = Some(*update);
                }
                Some(Followed::Lost { message }) => show.lost(&message, output)?,
                None => break,
            },
            _ = redraw.tick() => if let (Show::Live(live), Some(update)) = (&mut show, &last) {
                live.draw(update, clock::now_millis(), output)?;
            },
        }
    }
    task.abort();
    if let (Show::Live(live), Some(update)) = (&mut show, &last) {
        live.leave(update, clock::now_millis(), output)?;
    }
    let succeeded = last.and_then(|update| update.deployment).is_some_and(|deployment| deployment.phase == "succeeded");
    Ok(if succeeded { Exit::Done } else { Exit::NotSucceeded })
}

enum Show {
    Json,
    Live(live::Live),
    Lines(lines::Lines),
}

impl Show {
    fn update(&mut self, update: &v1::DeploymentUpdate, output: &mut Output) -> Result<(), Error> {
        match self {
            Self::Json => {
                writeln!(output.out, "{}", json::of(update))?;
                output.out.flush()?;
            }
            Self::Live(live) => live.draw(update, clock::now_millis(), output)?,
            Self::Lines(lines) => lines.update(update, output)?,
        }
        Ok(())
    }

    fn lost(&mut self, message: &str, output: &mut Output) -> Result<(), Error> {
        match self {
            Self::Live(live) => live.lost(message),
            Self::Json | Self::Lines(_) => {
                writeln!(output.err, "the connection broke off ({}); trying again", crate::text::line(message))?;
            }
        }
        Ok(())
    }
}
