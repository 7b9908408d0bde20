//! What services measure, as a client is told.

use towpath_proto::v1;

use crate::support::Rig;

#[tokio::test]
async fn what_is_usual_is_told_of_those_who_were_asked_about() {
    let rig = Rig::start().await;
    let list = |service: &str, environment: &str| {
        let request = v1::ListTelemetryRequest { service: service.to_owned(), environment: environment.to_owned() };
        let mut telemetry = rig.telemetry();
        async move { telemetry.list(request).await.unwrap().into_inner() }
    };
    let all = list("", "").await;
    assert!(all.is_on);
    assert_eq!((all.strangers_points, all.strangers_last_refusal.as_str()), (3, "there is no service \"ghost\""));
    let names = |found: &v1::ListTelemetryResponse| {
        found.scopes.iter().map(|scope| format!("{} {}", scope.service, scope.environment)).collect::<Vec<_>>()
    };
    assert_eq!(names(&all), ["quick home", "slow home"]);
    assert_eq!(names(&list("slow", "home").await), ["slow home"]);
    assert_eq!(names(&list("slow", "away").await), [""; 0]);
    let usual = &all.scopes[0].metrics[0].usual[0];
    assert_eq!((usual.aspect(), usual.minutes, usual.drift), (v1::Aspect::Errors, 60, Some(1.25)));
    assert_eq!(all.scopes[1].metrics, []);
}
