//! Messages posted to the channels' URLs, signed, through the guarded client.

use std::time::Duration;

use hlsops_domain::EpochMs;
use hlsops_fetch::{Fetcher, Post, Posted};
use hlsops_store::{Channel, Format};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::event::Event;
use crate::lines::Lines;
use crate::publisher::{Answer, Destination, Message, Publisher, Verdict};
use crate::sign::{check_secret, signatures};

/// Posts messages.
#[derive(Clone, Debug)]
pub struct Webhooks {
    fetcher: Fetcher,
    dashboard: Option<String>,
}

/// What is wrong with a channel's settings.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The URL is none.
    #[error("url is not a URL: {0}")]
    Url(#[from] url::ParseError),
    /// Nothing is posted there.
    #[error("url: {0}")]
    Target(#[from] hlsops_fetch::FetchError),
    /// A header that cannot be sent, or that we write.
    #[error(
        "headers: `{0}` cannot be sent: use printable ASCII, and no header that the program writes itself"
    )]
    Header(String),
    /// A secret of another form.
    #[error("secrets: {0}")]
    Secret(#[from] crate::sign::SecretError),
}

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Headers of ours, or that steer the connection.
const OURS: [&str; 10] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-authorization",
];

impl Webhooks {
    /// Posts through this client.
    #[must_use]
    pub fn new(fetcher: Fetcher) -> Self {
        Self { fetcher, dashboard: None }
    }

    /// With links to the dashboard that is served at this URL.
    #[must_use]
    pub fn with_links(mut self, dashboard: impl Into<String>) -> Self {
        self.dashboard = Some(dashboard.into());
        self
    }

    /// Whether messages can go to a channel, as far as can be said without sending one.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub fn check(&self, channel: &Channel) -> Result<(), ChannelError> {
        let url = Url::parse(&channel.url)?;
        self.fetcher.permits(&url)?;
        custom_headers(channel)?;
        for secret in &channel.secrets {
            check_secret(secret.reveal())?;
        }
        Ok(())
    }

    async fn post(&self, channel: &Channel, message: &Message, now: EpochMs) -> Result<Answer, ChannelError> {
        let url = Url::parse(&channel.url)?;
        let body = self.body(channel.format, message);
        let at_s = now.0 / 1_000;
        let mut headers = custom_headers(channel)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let mut set = |name: HeaderName, value: &str| {
            let value = HeaderValue::from_str(value).map_err(|_| ChannelError::Header(name.to_string()))?;
            headers.insert(name, value);
            Ok::<_, ChannelError>(())
        };
        set(ID, &message.id)?;
        set(TIMESTAMP, &at_s.to_string())?;
        if !channel.secrets.is_empty() {
            set(SIGNATURE, &signatures(&channel.secrets, &message.id, at_s, &body)?)?;
        }
        let posted = self.fetcher.post(&Post { headers, ..Post::new(&url, body) }).await;
        Ok(answer(posted))
    }

    fn body(&self, format: Format, message: &Message) -> String {
        // A newer version may have written what this one cannot read: it goes out as it is.
        let Ok(mut event) = Event::read(&message.body) else { return message.body.clone() };
        if let Some(dashboard) = &self.dashboard {
            event = event.with_links(dashboard);
        }
        match (format, &self.dashboard) {
            (Format::Lines, _) => Lines::of(&event).to_json(),
            (Format::Event, Some(_)) => event.to_json(),
            (Format::Event, None) => message.body.clone(),
        }
    }
}

impl Publisher for Webhooks {
    async fn publish(&self, to: Destination<'_>, message: &Message, now: EpochMs) -> Answer {
        let Destination::Channel(channel) = to else {
            return Answer::unsent("there is no such destination");
        };
        match self.post(channel, message, now).await {
            Ok(answer) => answer,
            Err(error) => Answer::unsent(error.to_string()),
        }
    }
}

fn custom_headers(channel: &Channel) -> Result<HeaderMap, ChannelError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &channel.headers {
        let bad = || ChannelError::Header(name.clone());
        let lower = name.to_ascii_lowercase();
        if OURS.contains(&lower.as_str()) || lower.starts_with("webhook-") {
            return Err(bad());
        }
        let name = HeaderName::from_bytes(lower.as_bytes()).map_err(|_| bad())?;
        let mut value = HeaderValue::from_str(value.reveal()).map_err(|_| bad())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

fn answer(posted: Posted) -> Answer {
    let text = String::from_utf8_lossy(&posted.answer).into_owned();
    let verdict = match (&posted.result, posted.status) {
        (Ok(()), _) => Verdict::Delivered,
        (Err(_), Some(410)) => Verdict::Gone,
        (Err(_), Some(status @ 300..400)) => {
            let error =
                format!("the receiver answered {status}: redirects are not followed, use the final URL");
            Verdict::Failed { error, retry_after: None }
        }
        (Err(_), Some(status)) if status >= 400 => {
            let error = format!("the receiver answered {status}");
            Verdict::Failed { error, retry_after: retry_after(posted.headers.retry_after().as_deref()) }
        }
        (Err(error), _) => Verdict::Failed { error: error.to_string(), retry_after: None },
    };
    Answer { took: posted.took, status: posted.status, text, verdict }
}

/// Seconds; a date is not worth its clock.
fn retry_after(value: Option<&str>) -> Option<Duration> {
    value?.trim().parse().ok().map(Duration::from_secs)
}
