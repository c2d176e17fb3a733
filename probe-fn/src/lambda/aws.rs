//! Clients of AWS, from what Lambda puts into the environment.
//!
//! A function has its region and its credentials there from the start, so nothing has to be looked up before
//! its first call.

use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_types::SdkConfig;

use super::config::{Config, ConfigError};

/// The clients a function needs.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Of the table.
    pub table: aws_sdk_dynamodb::Client,
    /// Of the queue.
    pub queue: aws_sdk_sqs::Client,
    /// Of the topic.
    pub topic: aws_sdk_sns::Client,
}

/// Makes the clients. `get` reads the environment.
///
/// # Errors
/// If the region or the credentials are missing.
pub fn clients(config: &Config, get: impl Fn(&str) -> Option<String>) -> Result<Clients, ConfigError> {
    let need = |name| get(name).ok_or(ConfigError::Missing { name, needed: "Lambda sets it" });
    let region = Region::new(need("AWS_REGION")?);
    let (key, secret) = (need("AWS_ACCESS_KEY_ID")?, need("AWS_SECRET_ACCESS_KEY")?);
    let credentials = Credentials::new(key, secret, get("AWS_SESSION_TOKEN"), None, "environment");
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .build();
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut common = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(region)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .timeout_config(timeouts)
        // The store, the queue's sender and the events' sender repeat by themselves.
        .retry_config(RetryConfig::disabled())
        .http_client(http);
    common.set_endpoint_url(config.endpoint.clone());
    let common = common.build();
    Ok(Clients {
        table: aws_sdk_dynamodb::Client::new(&common),
        queue: aws_sdk_sqs::Client::new(&common),
        topic: aws_sdk_sns::Client::new(&common),
    })
}
