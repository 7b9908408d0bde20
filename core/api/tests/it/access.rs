//! Who gets in.

use tonic::Code;
use tonic::metadata::MetadataValue;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1alpha;
use towpath_proto::v1;
use towpath_proto::v1::deployment_service_client::DeploymentServiceClient;
use towpath_proto::v1::plugin_service_client::PluginServiceClient;

use crate::support::{Rig, code};

#[tokio::test]
async fn nobody_gets_in_without_the_token() {
    let rig = Rig::start().await;
    for token in [None, Some("Bearer wrong"), Some("secret")] {
        let request = || {
            let mut request = tonic::Request::new(v1::ListDeploymentsRequest::default());
            if let Some(token) = token {
                request.metadata_mut().insert("authorization", MetadataValue::try_from(token).unwrap());
            }
            request
        };
        let refused = DeploymentServiceClient::new(rig.channel.clone()).list(request()).await.unwrap_err();
        assert_eq!((refused.code(), code(&refused).as_str()), (Code::Unauthenticated, "TP0303"), "{token:?}");
    }
    let refused = PluginServiceClient::new(rig.channel.clone()).list(v1::ListRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let info = rig.server().info(v1::InfoRequest {}).await.unwrap().into_inner();
    assert_eq!((info.caller.as_str(), info.groups), ("user:ada", vec!["group:operators".to_owned()]));
    rig.stop().await;
}

#[tokio::test]
async fn health_is_for_everybody() {
    let rig = Rig::start().await;
    for service in ["", "towpath.v1.DeploymentService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let health = HealthClient::new(rig.channel.clone()).check(request).await.unwrap().into_inner();
        assert_eq!(health.status, 1, "{service:?} is serving");
    }
    rig.stop().await;
}

#[tokio::test]
async fn reflection_lists_every_service_of_the_contract() {
    let rig = Rig::start().await;
    let request =
        ServerReflectionRequest { host: String::new(), message_request: Some(MessageRequest::ListServices(String::new())) };
    let mut client = ServerReflectionClient::new(rig.channel.clone());
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?} is no list") };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    for service in ["Service", "Environment", "Path", "Release", "Plugin", "Server", "Deployment"] {
        let name = format!("towpath.v1.{service}Service");
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn reflection_answers_clients_of_the_version_before() {
    let rig = Rig::start().await;
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::ListServices(String::new())),
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(rig.channel.clone());
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let v1alpha::server_reflection_response::MessageResponse::ListServicesResponse(list) = answer else {
        panic!("{answer:?} is no list")
    };
    assert!(list.service.iter().any(|service| service.name == "towpath.v1.DeploymentService"), "{list:?}");
    rig.stop().await;
}
