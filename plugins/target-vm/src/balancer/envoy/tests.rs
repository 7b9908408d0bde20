use serde_json::json;
use towpath_sdk::Context;
use towpath_sdk::testing::context;

use super::*;
use crate::balancer::routes::{Match, Part};

/// What Envoy says of a cluster that is set up well.
fn cluster(name: &str) -> Value {
    json!({ "configs": [{ "cluster": {
        "name": name, "type": "EDS", "common_lb_config": { "healthy_panic_threshold": {}, "update_merge_window": "0s" },
        "eds_cluster_config": { "eds_config": { "path_config_source": { "path": format!("/etc/envoy/towpath/{name}.json") } } },
    } }] })
}

fn envoy() -> EnvoyFiles {
    let settings = json!({
        "hosts": [{ "name": "web-1" }], "supervisor": { "runit": {} },
        "balancer": { "envoy": { "hosts": ["lb-1"], "admin": "127.0.0.1:9901", "folder": "/etc/envoy/towpath", "routes": {} } },
    });
    let context: Context = context(&settings.to_string());
    let call = Call { context, settings: serde_json::from_value::<Settings>(settings).expect("settings") };
    let Some(crate::settings::BalancerSettings::Envoy(envoy)) = &call.settings.balancer else { panic!("it is Envoy") };
    EnvoyFiles::new(&call, envoy)
}

fn host(cluster: &str, name: &str, port: u16, flags: &str, active: u32) -> Vec<String> {
    let fact = |fact: &str| format!("host {cluster}::10.0.0.1:{port}::{fact}");
    vec![
        fact(&format!("hostname::{name}")),
        fact(&format!("health_flags::{flags}")),
        fact("weight::19"),
        fact(&format!("rq_active::{active}")),
        fact("rq_total::120"),
    ]
}

/// What the script says, with these servers, this table and this order.
fn said(hosts: &[Vec<String>], table: &Value, order: &Order) -> Vec<String> {
    let mut lines = vec!["fence 7".to_owned()];
    lines.extend(order.text().lines().map(|line| format!("order {line}")));
    lines.extend(["web", "web-stable", "web-candidate"].map(|name| format!("clusters {}", cluster(name))));
    let routes = json!({ "configs": [{ "route_config": { "name": "web", "virtual_hosts": [{ "routes": table }] } }] });
    lines.push(format!("routes {routes}"));
    lines.extend(hosts.concat());
    lines
}

fn wanted() -> Routes {
    let matches = vec![Match { on: Part::Header("x-user".to_owned()), value: "bob".to_owned(), to: To::Candidate }];
    Routes { mirror: 2_000, matches, candidate: vec!["web-1-b".to_owned()], ..Routes::default() }
}

#[test]
fn servers_are_read_with_what_they_lack_and_requests_of_all_clusters() {
    let hosts = [
        host("web", "web-1-a", 1, "healthy", 1),
        host("web", "web-1-b", 2, "/failed_active_hc/eds_status_draining", 2),
        host("web", "web-1-c", 3, "/pending_active_hc", 0),
        host("web", "web-1-d", 4, "/pending_dynamic_removal/eds_status_draining", 3),
        host("web-candidate", "web-1-b", 2, "healthy", 4),
    ];
    let seen = envoy().read(&said(&hosts, &json!([]), &Order::default())).expect("it is understood");
    let one = |name: &str| {
        let server = &seen.servers[name];
        (server.open, server.up, server.checked, server.sessions, server.address.as_deref())
    };
    assert_eq!(one("web-1-a"), (true, true, true, 1, Some("10.0.0.1:1")));
    assert_eq!(one("web-1-b"), (false, false, true, 6, Some("10.0.0.1:2")));
    assert_eq!(one("web-1-c"), (true, true, false, 0, Some("10.0.0.1:3")));
    assert!(!seen.servers.contains_key("web-1-d"));
    assert_eq!((seen.fence, seen.routed.candidate.get("web-1-b")), (7, Some(&true)));
}

#[test]
fn a_route_leads_to_a_side_only_when_it_answers_and_the_side_stays_until_no_route_leads_to_it() {
    let envoy = envoy();
    let order = Order { routes: wanted(), ..Order::default() };
    let plain = files::table("web", 0, &Routes::default());
    let whole = files::table("web", 0, &wanted());
    let main = host("web", "web-1-b", 2, "/eds_status_draining", 0);
    let read = |hosts: &[Vec<String>], table: &Value, order: &Order| envoy.read(&said(hosts, table, order)).expect("understood");
    let applied = |seen: &Seen, order: &Order| {
        let text = String::from_utf8(envoy.apply(8, seen, Some(order), &[]).bytes()).expect("text");
        let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).expect(name).to_owned();
        (line("CANDIDATE=").contains("web-1-b"), line("TABLE=").contains("\"web-candidate\""))
    };

    let seen = read(std::slice::from_ref(&main), &plain, &order);
    assert!(seen.routed.is_due && seen.routed.waits.is_some(), "the side has no servers yet");
    assert_eq!(applied(&seen, &order), (true, false));

    let side = |flags: &str| host("web-candidate", "web-1-b", 2, flags, 0);
    let seen = read(&[main.clone(), side("/failed_active_hc/pending_active_hc")], &plain, &order);
    assert!(!seen.routed.is_due, "there is nothing to write until it answers");
    assert!(seen.routed.waits.as_ref().is_some_and(|why| why.contains("candidate side's servers up")));

    let seen = read(&[main.clone(), side("healthy")], &plain, &order);
    assert_eq!((seen.routed.is_due, applied(&seen, &order)), (true, (true, true)));
    let seen = read(&[main.clone(), side("healthy")], &whole, &order);
    assert_eq!((seen.routed.is_due, &seen.routed.waits), (false, &None));

    // On the way back the routes go first.
    let back = Order::default();
    assert_eq!(applied(&seen, &back), (true, false));
    let seen = read(&[main.clone(), side("healthy")], &whole, &back);
    assert!(seen.routed.is_due);
    let seen = read(&[main.clone(), side("healthy")], &plain, &back);
    assert_eq!((seen.routed.is_due, applied(&seen, &back)), (true, (false, false)));
    assert!(!read(std::slice::from_ref(&main), &plain, &back).routed.is_due);
}

#[test]
fn an_envoy_that_does_not_honour_weights_or_reads_other_files_is_refused() {
    let check = |change: &dyn Fn(&mut Value), expect: &str| {
        let mut dump = cluster("web");
        change(&mut dump["configs"][0]["cluster"]);
        let found = envoy().check("web", &[dump]).expect_err(expect);
        assert!(found.contains(expect), "{found}");
    };
    check(
        &|cluster| cluster["lb_policy"] = json!("LEAST_REQUEST"),
        "needs the policy ROUND_ROBIN, which honours weights exactly; it has LEAST_REQUEST",
    );
    check(&|cluster| cluster["common_lb_config"] = json!({}), "it has 50, which is usual");
    check(&|cluster| cluster["common_lb_config"]["healthy_panic_threshold"] = json!({ "value": 20.0 }), "it has 20");
    check(
        &|cluster| cluster["eds_cluster_config"] = json!({}),
        "has its endpoints from no file, by the settings it is /etc/envoy/towpath/web.json",
    );
    check(&|cluster| cluster["name"] = json!("other"), "Envoy has no cluster web");
    assert_eq!(envoy().check("web", &[json!({}), cluster("web")]), Ok(()));
    assert!(envoy().read(&["fence 7".to_owned(), "done".to_owned()]).expect_err("nothing is there").contains("no cluster web"));
}

#[test]
fn an_order_is_read_as_it_was_written() {
    let servers = BTreeMap::from([("web-1-a".to_owned(), (19, "v1".to_owned()))]);
    for routes in [Routes::default(), wanted()] {
        let order = Order { share: 500, servers: servers.clone(), routes };
        assert_eq!(Order::read(order.text().lines()), Some(order));
    }
}

#[test]
fn values_of_cookies_are_taken_as_they_are() {
    let cookie = Match { on: Part::Cookie("beta".to_owned()), value: "a.b (c)*".to_owned(), to: To::Stable };
    let table = files::table("web", 1_500, &Routes { matches: vec![cookie], ..Routes::default() });
    let route = &table[0];
    assert_eq!(route["match"]["headers"][0]["string_match"]["safe_regex"]["regex"], r"(.*; *)?beta=a\.b \(c\)\*(;.*)?");
    assert_eq!((&route["route"]["cluster"], &route["route"]["timeout"]), (&json!("web-stable"), &json!("1.500s")));
    assert_eq!(table.as_array().map(Vec::len), Some(2));
}

#[test]
fn what_was_given_is_counted_since_the_last_move_and_not_over_a_restart() {
    let hosts = [host("web", "web-1-a", 1, "healthy", 0), host("web", "web-1-b", 2, "healthy", 0)];
    let given = |counts: &[&str]| {
        let mut lines = said(&hosts, &json!([]), &Order::default());
        lines.extend(counts.iter().map(|count| format!("count {count}")));
        envoy().read(&lines).expect("it is understood").given
    };
    let both = given(&["10.0.0.1:1 100", "10.0.0.1:2 119"]);
    assert_eq!(both, BTreeMap::from([("web-1-a".to_owned(), 20), ("web-1-b".to_owned(), 1)]));
    for unknown in [&[][..], &["10.0.0.1:1 100"], &["10.0.0.1:1 100", "10.0.0.1:2 121"], &["10.0.0.1:1 100", "10.0.0.1:2 x"]] {
        assert!(given(unknown).is_empty(), "{unknown:?}");
    }
}
