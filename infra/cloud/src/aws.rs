//! The account, or an emulator of one.

use std::net::IpAddr;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sts::config::ProvideCredentials;
use aws_smithy_http_client::tls;
use url::{Host, Url};

use crate::error::Error;

/// Who deploys, and where.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    /// For the clients.
    pub(crate) config: SdkConfig,
    /// The account's number.
    pub(crate) account: String,
    /// Where.
    pub(crate) region: String,
}

impl Aws {
    /// Finds credentials and region as every AWS tool does, and asks whose they are.
    ///
    /// # Errors
    /// If there are none, or the service refuses them.
    pub(crate) async fn connect() -> Result<Self, Error> {
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let http = aws_smithy_http_client::Builder::new().tls_provider(ring).build_https();
        let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
        let region = config.region().ok_or(Error::NoRegion)?.to_string();
        let provider =
            config.credentials_provider().ok_or(Error::NoCredentials { reason: "no provider".into() })?;
        provider.provide_credentials().await.map_err(|error| Error::NoCredentials {
            reason: aws_sdk_sts::error::DisplayErrorContext(&error).to_string(),
        })?;
        let identity = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let identity = identity.map_err(Error::refused("ask whose the credentials are"))?;
        let account = identity.account.ok_or(Error::Lacks { what: "account" })?;
        Ok(Self { config, account, region })
    }

    /// Another endpoint than AWS's own.
    #[must_use]
    pub(crate) fn endpoint(&self) -> Option<&str> {
        self.config.endpoint_url()
    }

    /// Makes sure that this is an emulator on this machine.
    ///
    /// # Errors
    /// [`Error::NoEmulator`].
    pub(crate) fn must_be_emulator(&self) -> Result<(), Error> {
        match self.endpoint() {
            Some(url) if is_loopback(url) => Ok(()),
            other => Err(Error::NoEmulator { found: other.unwrap_or("not set").to_owned() }),
        }
    }

    /// A client for buckets: emulators have no names of their own for them.
    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config);
        aws_sdk_s3::Client::from_conf(config.force_path_style(self.endpoint().is_some()).build())
    }
}

fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_an_emulator() {
        for here in ["http://127.0.0.1:4566", "http://localhost:4566/", "http://[::1]:1"] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in ["https://dynamodb.eu-west-1.amazonaws.com", "http://10.0.0.1:4566", "127.0.0.1", ""]
        {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }
}
