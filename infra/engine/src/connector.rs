//! The SDK's HTTP client, answered from the engine: no socket, no serialised HTTP.

use crate::{engine::Core, operation::Operation, reply::Reply};
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Builder, Config, Region, StalledStreamProtectionConfig, retry::RetryConfig,
};
use aws_smithy_runtime_api::client::{
    auth::AuthSchemeId,
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use std::{fmt, sync::Arc};

/// The engine as the SDK's HTTP client.
#[derive(Clone)]
pub(crate) struct Direct(pub(crate) Arc<Core>);

/// One call, read from the SDK's request.
pub(crate) struct Job {
    pub(crate) operation: Operation,
    pub(crate) body: Vec<u8>,
}

impl Job {
    /// Reads a request; an operation the engine lacks is answered as DynamoDB answers unknown ones.
    pub(crate) fn read(request: &HttpRequest) -> Result<Self, Reply> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let Some(operation) = Operation::from_target(target) else {
            let message = format!("the embedded engine does not answer `{target}`");
            return Err(Reply::error(400, "UnknownOperationException", &message));
        };
        // Bodies of this protocol are whole, never streams.
        let body = request.body().bytes().unwrap_or_default().to_vec();
        Ok(Self { operation, body })
    }
}

impl Direct {
    /// Runs one call to its end.
    pub(crate) async fn execute(&self, job: Job) -> Result<Reply, ConnectorError> {
        Arc::clone(&self.0)
            .call(job.operation, job.body)
            .await
            .map_err(|error| ConnectorError::other(error.into(), None))
    }
}

impl HttpConnector for Direct {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let engine = self.clone();
        HttpConnectorFuture::new(async move {
            let answered: Result<HttpResponse, ConnectorError> = match Job::read(&request) {
                Ok(job) => engine.execute(job).await?.into_response(),
                Err(reply) => reply.into_response(),
            };
            answered
        })
    }
}

impl HttpClient for Direct {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Direct")
    }
}

/// A client configuration on top of a connector. Reads nothing from the environment.
pub(crate) fn client_config(http: impl HttpClient + 'static) -> Builder {
    Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("local"))
        .allow_no_auth()
        .auth_scheme_preference([AuthSchemeId::new("noAuth")])
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http)
}
