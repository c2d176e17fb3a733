//! The API as a Lambda: what it needs from its environment, checked once.

use std::net::IpAddr;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use axum::Router;
use hlsops_fetch::{AllowList, BuildError, FetchConfig, Fetcher, HostListError};
use hlsops_store::Store;
use url::{Host, Url};

use crate::{App, build_router};

/// The environment, read.
#[derive(Clone, Debug)]
pub struct Config {
    /// `HLSOPS_TABLE`: the table's name.
    pub table: String,
    /// `HLSOPS_ALLOW_TARGETS`: private targets, for emulators.
    pub allow: AllowList,
    /// `AWS_ENDPOINT_URL`: another place than AWS.
    pub endpoint: Option<String>,
    region: String,
    credentials: Credentials,
}

/// What is wrong with the environment.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A variable is missing.
    #[error("the environment variable {name} is not set: {needed}")]
    Missing {
        /// Which.
        name: &'static str,
        /// What for.
        needed: &'static str,
    },
    /// `AWS_ENDPOINT_URL` is no URL.
    #[error("AWS_ENDPOINT_URL is `{got}`, which is no URL: {source}")]
    Endpoint {
        /// What it is.
        got: String,
        /// Why.
        source: url::ParseError,
    },
    /// `HLSOPS_ALLOW_TARGETS` cannot be read.
    #[error("HLSOPS_ALLOW_TARGETS: {0}")]
    Targets(#[from] HostListError),
    /// Private targets are for emulators.
    #[error(
        "HLSOPS_ALLOW_TARGETS lets streams be fetched from private addresses; that is for emulators, where \
         AWS_ENDPOINT_URL is a loopback address: remove it"
    )]
    NotLoopback,
}

impl Config {
    /// Reads it through `get`. A variable that is empty counts as not set.
    ///
    /// # Errors
    /// Names the variable and the remedy.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| get(name).filter(|value| !value.trim().is_empty());
        let need = |name, needed| get(name).ok_or(ConfigError::Missing { name, needed });
        let endpoint = get("AWS_ENDPOINT_URL");
        let allow = match get("HLSOPS_ALLOW_TARGETS") {
            None => AllowList::default(),
            Some(targets) if is_loopback(endpoint.as_deref())? => AllowList::parse(&targets)?,
            Some(_) => return Err(ConfigError::NotLoopback),
        };
        let (key, secret) =
            (need("AWS_ACCESS_KEY_ID", "Lambda sets it")?, need("AWS_SECRET_ACCESS_KEY", "Lambda sets it")?);
        Ok(Self {
            table: need("HLSOPS_TABLE", "the name of the table")?,
            allow,
            endpoint,
            region: need("AWS_REGION", "Lambda sets it")?,
            credentials: Credentials::new(key, secret, get("AWS_SESSION_TOKEN"), None, "environment"),
        })
    }

    fn client(&self) -> Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(5))
            .build();
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let mut config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials.clone())
            .timeout_config(timeouts)
            // The store repeats by itself.
            .retry_config(RetryConfig::disabled())
            .http_client(http);
        config.set_endpoint_url(self.endpoint.clone());
        Client::from_conf(config.build())
    }
}

/// An address of this machine; a name, even `localhost`, may lead anywhere.
fn is_loopback(endpoint: Option<&str>) -> Result<bool, ConfigError> {
    let Some(endpoint) = endpoint else { return Ok(false) };
    let url =
        Url::parse(endpoint).map_err(|source| ConfigError::Endpoint { got: endpoint.into(), source })?;
    Ok(match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(_)) | None => false,
    })
}

/// The router on the table of that environment.
///
/// # Errors
/// If no HTTP client can be made.
pub fn router(config: &Config) -> Result<Router, BuildError> {
    let store = Store::new(config.client(), config.table.clone());
    let fetcher = Fetcher::new(FetchConfig { allow: config.allow.clone(), ..FetchConfig::default() })?;
    Ok(build_router(App::new(store, fetcher)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(more: &[(&str, &str)], expected: Result<usize, &str>) {
        let lambda =
            [("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let get = |name: &str| {
            let mut all = more.iter().chain(&lambda);
            all.find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        match (Config::read(get), expected) {
            (Ok(config), Ok(allowed)) => assert_eq!(config.allow.len(), allowed),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (got, _) => panic!("{got:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_environment_is_checked_by_name() {
        let table = ("HLSOPS_TABLE", "t");
        let targets = ("HLSOPS_ALLOW_TARGETS", "127.0.0.1:80");
        check(&[table], Ok(0));
        check(&[], Err("HLSOPS_TABLE"));
        check(&[("HLSOPS_TABLE", " ")], Err("HLSOPS_TABLE"));
        check(&[table, ("AWS_REGION", "")], Err("AWS_REGION"));
        check(&[table, targets], Err("emulators"));
        check(&[table, targets, ("AWS_ENDPOINT_URL", "http://localhost:4566")], Err("emulators"));
        check(&[table, targets, ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")], Ok(1));
        check(&[table, targets, ("AWS_ENDPOINT_URL", "4566")], Err("AWS_ENDPOINT_URL"));
    }
}
