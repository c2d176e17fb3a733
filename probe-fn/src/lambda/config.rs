//! What the function needs from its environment, checked once.

use std::net::IpAddr;

use hlsops_fetch::{AllowList, HostListError};
use url::{Host, Url};

/// What the function is deployed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sends work once a minute.
    Dispatch,
    /// Does it.
    Watch,
}

impl Role {
    /// As in `HLSOPS_ROLE`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Watch => "watch",
        }
    }
}

/// The environment, read.
#[derive(Clone, Debug)]
pub struct Config {
    /// `HLSOPS_ROLE`.
    pub role: Role,
    /// `HLSOPS_TABLE`: the table's name.
    pub table: String,
    /// `HLSOPS_QUEUE_URL`: the work queue, which `dispatch` fills and `watch` is fed from.
    pub queue_url: String,
    /// `HLSOPS_TOPIC_ARN`: where events are published.
    pub topic_arn: String,
    /// `HLSOPS_DEPLOYMENT`: what metrics are told apart by. Default: `hlsops`.
    pub deployment: String,
    /// `HLSOPS_ALLOW_TARGETS`: private targets, for emulators.
    pub allow: AllowList,
    /// `AWS_ENDPOINT_URL`: another place than AWS.
    pub endpoint: Option<String>,
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
    /// No such role.
    #[error("HLSOPS_ROLE is `{0}`: it must be `dispatch` or `watch`")]
    Role(String),
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
        let role = match need("HLSOPS_ROLE", "`dispatch` or `watch`")?.as_str() {
            "dispatch" => Role::Dispatch,
            "watch" => Role::Watch,
            other => return Err(ConfigError::Role(other.into())),
        };
        let endpoint = get("AWS_ENDPOINT_URL");
        let allow = match get("HLSOPS_ALLOW_TARGETS") {
            None => AllowList::default(),
            Some(targets) if is_loopback(endpoint.as_deref())? => AllowList::parse(&targets)?,
            Some(_) => return Err(ConfigError::NotLoopback),
        };
        Ok(Self {
            role,
            table: need("HLSOPS_TABLE", "the name of the table")?,
            queue_url: need("HLSOPS_QUEUE_URL", "the URL of the work queue")?,
            topic_arn: need("HLSOPS_TOPIC_ARN", "the ARN of the topic for events")?,
            deployment: get("HLSOPS_DEPLOYMENT").unwrap_or_else(|| "hlsops".into()),
            allow,
            endpoint,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// All that is needed, in the order in which it is missed.
    const WATCH: [(&str, &str); 4] = [
        ("HLSOPS_ROLE", "watch"),
        ("HLSOPS_TABLE", "t"),
        ("HLSOPS_QUEUE_URL", "http://q"),
        ("HLSOPS_TOPIC_ARN", "arn:aws:sns:x:1:events"),
    ];

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: Result<usize, &str>) {
        let get = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        match (Config::read(get), expected) {
            (Ok(config), Ok(allowed)) => assert_eq!(config.allow.len(), allowed),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (got, _) => panic!("{got:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_environment_is_checked_by_name() {
        let [_, rest @ ..] = WATCH;
        let dispatch: Vec<_> = [("HLSOPS_ROLE", "dispatch")].into_iter().chain(rest).collect();
        check(&dispatch, Ok(0));
        check(&WATCH, Ok(0));
        check(&[], Err("HLSOPS_ROLE"));
        check(&[("HLSOPS_ROLE", "both")], Err("`both`"));
        for (known, missing) in WATCH.iter().enumerate() {
            check(&WATCH[..known], Err(missing.0));
        }
        check(&[WATCH[0], ("HLSOPS_TABLE", " ")], Err("HLSOPS_TABLE"));
    }

    #[test]
    fn private_targets_are_for_emulators_on_this_machine() {
        let with = |endpoint: &'static str, targets: &'static str| {
            let [role, table, queue, topic] = WATCH;
            [role, table, queue, topic, ("AWS_ENDPOINT_URL", endpoint), ("HLSOPS_ALLOW_TARGETS", targets)]
        };
        check(&with("http://127.0.0.1:4566", "127.0.0.1:8000,10.0.0.1:80"), Ok(2));
        check(&with("http://[::1]:4566", "127.0.0.1:8000"), Ok(1));
        check(&with("http://127.0.0.1:4566", ""), Ok(0));
        check(&with("https://dynamodb.eu-west-1.amazonaws.com", ""), Ok(0));
        for endpoint in
            ["", "https://dynamodb.eu-west-1.amazonaws.com", "http://localhost:4566", "http://10.0.0.1"]
        {
            check(&with(endpoint, "127.0.0.1:8000"), Err("emulators"));
        }
        check(&with("here", "127.0.0.1:8000"), Err("AWS_ENDPOINT_URL"));
        check(&with("http://127.0.0.1:1", "nonsense"), Err("HLSOPS_ALLOW_TARGETS"));
    }
}
