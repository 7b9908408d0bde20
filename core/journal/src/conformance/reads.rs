//! What reading promises: lists, rows and the stream of all events.

use std::sync::Arc;

use model::{DeploymentId, Phase, Timestamp};

use super::samples::deployment;
use super::{activate, end, lease, must, request};
use crate::{DeploymentFilter, DeploymentRow, Position, Status, Store};

pub(super) async fn lists_are_filtered_and_paged(store: &dyn Store) {
    let lease = lease(store).await;
    for (number, service) in [(1, "web"), (2, "api"), (3, "web")] {
        must(store.append(request(&lease, number, service)).await);
    }
    must(store.append(activate(&lease, 1, "web", 0)).await);
    let list = async |filter: DeploymentFilter| -> Vec<DeploymentId> {
        must(store.deployments(&filter).await).into_iter().map(|row| row.id).collect()
    };
    let ids = |numbers: &[u32]| numbers.iter().map(|number| deployment(*number)).collect::<Vec<_>>();
    let all = DeploymentFilter { limit: 10, ..DeploymentFilter::default() };
    assert_eq!(list(all.clone()).await, ids(&[3, 2, 1]));
    let web = DeploymentFilter { service: Some("web".to_owned()), ..all.clone() };
    assert_eq!(list(web.clone()).await, ids(&[3, 1]));
    assert_eq!(list(DeploymentFilter { status: Some(Status::Queued), ..web }).await, ids(&[3]));
    assert_eq!(list(DeploymentFilter { status: Some(Status::Queued), ..all.clone() }).await, ids(&[3, 2]));
    assert_eq!(list(DeploymentFilter { before: Some(deployment(3)), limit: 1, ..all.clone() }).await, ids(&[2]));
    assert_eq!(list(DeploymentFilter { environment: Some("test".to_owned()), limit: 1, ..all.clone() }).await, ids(&[3]));
    assert_eq!(list(DeploymentFilter { environment: Some("other".to_owned()), ..all }).await, []);
    let unfinished: Vec<_> = must(store.unfinished().await).into_iter().map(|row| (row.id, row.status)).collect();
    let [one, two, three] = [1, 2, 3].map(deployment);
    assert_eq!(unfinished, [(one, Status::Active), (two, Status::Queued), (three, Status::Queued)]);
}

pub(super) async fn a_row_is_read_back_as_it_was_written_last(store: &dyn Store) {
    let lease = lease(store).await;
    must(store.append(request(&lease, 1, "web")).await);
    let mut append = activate(&lease, 1, "web", 0);
    append.row = DeploymentRow { phase: Phase::Shifting, paused: true, ..append.row };
    must(store.append(append.clone()).await);
    assert_eq!(must(store.unfinished().await), [append.row]);
    let last = end(&lease, 1, "web", 0);
    assert_eq!(last.row.ended_at, Some(Timestamp(7)));
    must(store.append(last.clone()).await);
    assert!(must(store.unfinished().await).is_empty());
    let all = DeploymentFilter { limit: 10, ..DeploymentFilter::default() };
    assert_eq!(must(store.deployments(&all).await), [last.row]);
}

pub(super) async fn the_stream_is_ordered_and_can_be_resumed(store: &dyn Store) {
    let lease = lease(store).await;
    must(store.append(request(&lease, 1, "web")).await);
    must(store.append(request(&lease, 2, "api")).await);
    let receipt = must(store.append(activate(&lease, 1, "web", 0)).await);
    let all = must(store.read_after(Position::default(), None, 10).await);
    let seen: Vec<_> = all.iter().map(|e| (e.deployment.clone(), e.seq)).collect();
    let [one, two] = [1, 2].map(deployment);
    assert_eq!(seen, [(one.clone(), 1), (two, 1), (one.clone(), 2)]);
    assert!(all.is_sorted_by(|one, two| one.position < two.position));
    assert_eq!(all[2].position, receipt.position(), "a receipt names the place of the last event");
    let rest = must(store.read_after(all[0].position, None, 1).await);
    assert_eq!(rest, all[1..2]);
    let of_one = must(store.read_after(all[0].position, Some(&one), 10).await);
    assert_eq!(of_one, all[2..]);
    assert!(must(store.read_after(all[2].position, None, 10).await).is_empty());
    assert_eq!(must(store.load(&one).await).expect("it is there").receipt.position(), receipt.position());
}

/// A watcher that reads while others write sees every event once, in the order of its deployment.
pub(super) async fn the_stream_has_every_event_without_gaps(store: Arc<dyn Store>) {
    const DEPLOYMENTS: u32 = 8;
    let lease = lease(&*store).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 1..=DEPLOYMENTS {
        let (store, lease, service) = (Arc::clone(&store), lease.clone(), format!("s-{number}"));
        tasks.spawn(async move {
            must(store.append(request(&lease, number, &service)).await);
            must(store.append(activate(&lease, number, &service, 1)).await);
            must(store.append(end(&lease, number, &service, 1)).await);
        });
    }
    let (mut seen, mut position) = (Vec::new(), Position::default());
    loop {
        while tasks.try_join_next().is_some() {}
        // Asked for before reading: what was written by then must be in what is read.
        let all_written = tasks.is_empty();
        let read = must(store.read_after(position, None, 5).await);
        if read.is_empty() && all_written {
            break;
        }
        for event in read {
            assert!(event.position > position, "{:?} after {position:?}", event.position);
            position = event.position;
            seen.push((event.deployment, event.seq));
        }
        tokio::task::yield_now().await;
    }
    for number in 1..=DEPLOYMENTS {
        let of_it: Vec<_> = seen.iter().filter(|(id, _)| *id == deployment(number)).map(|(_, seq)| *seq).collect();
        assert_eq!(of_it, [1, 2, 3], "deployment {number}");
    }
}
