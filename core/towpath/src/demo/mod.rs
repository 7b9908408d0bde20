//! The demo: the main job on real processes and real traffic, with the commands that a user has.
//!
//! It starts `towpath up`, registers a path, an environment, a service and three releases, deploys them one after the other while
//! callers keep calling, and tells what the callers saw. Nothing below the commands knows that this is a demo.

mod commands;
mod load;
mod report;
mod stage;

use std::process::ExitCode;

use crate::args::{Common, DemoOptions, Scenario};
use crate::failure::{self, Failure};
use commands::Deployed;
use load::Load;
use report::Report;
use stage::Stage;

/// Runs the demo; the exit code says whether everything ended as it should.
pub(crate) async fn run(common: &Common, options: &DemoOptions) -> ExitCode {
    match show(common, options).await {
        Ok(report) => {
            report.print(common.json);
            match report.as_expected() {
                true => ExitCode::SUCCESS,
                false => ExitCode::from(cli::Exit::NotSucceeded as u8),
            }
        }
        Err(failure) => failure::report(&failure),
    }
}

async fn show(common: &Common, options: &DemoOptions) -> Result<Report, Failure> {
    let mut stage = Stage::set(common, options).await?;
    let shown = play(&mut stage, options.scenario).await;
    if shown.is_err() {
        stage.keep_traces();
    }
    stage.clear().await;
    shown
}

async fn play(stage: &mut Stage, scenario: Scenario) -> Result<Report, Failure> {
    stage.say("v1 is the first deployment: straight to all traffic, nobody calls yet");
    let first = stage.deploy("v1").await?;
    let address = stage.public_address().await?;
    stage.say(&format!("callers start calling http://{address}/"));
    let load = Load::start(&address);
    let deployed = match scenario {
        Scenario::Rollback => rollback(stage, first, &load).await,
        Scenario::EngineCrash => engine_crash(stage, first).await,
    };
    let samples = load.stop().await;
    Ok(Report::new(scenario, deployed?, &samples))
}

async fn rollback(stage: &Stage, first: Deployed, load: &Load) -> Result<Vec<Deployed>, Failure> {
    stage.say("v2 goes out by canary: 5 %, 25 %, 50 %, then everything, watched at every step");
    let second = stage.deploy("v2").await?;
    let (total, failed) = load.counts();
    stage.say(&format!("so far {total} requests, {failed} failed; v3 is faulty: a third of its answers are errors"));
    let third = stage.deploy("v3").await?;
    Ok(vec![first, second, third])
}

async fn engine_crash(stage: &mut Stage, first: Deployed) -> Result<Vec<Deployed>, Failure> {
    stage.say("v2 goes out by canary; in the middle of shifting the engine is killed with SIGKILL");
    let second = stage.deploy_with_a_crash("v2").await?;
    Ok(vec![first, second])
}
