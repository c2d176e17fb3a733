//! Events published to an SNS topic, beside what goes to channels: a topic fans out to e-mail, queues and
//! functions by the attributes of a message.

use std::collections::HashMap;

use aws_sdk_sns::Client;
use aws_sdk_sns::error::DisplayErrorContext;
use aws_sdk_sns::types::MessageAttributeValue;
use hlsops_domain::EpochMs;
use tokio::time::Instant;

use crate::event::Event;
use crate::lines::Lines;
use crate::publisher::{Answer, Destination, Message, Publisher, Verdict};
use crate::webhooks::Webhooks;

/// Publishes every event to one topic, and posts to channels.
#[derive(Clone, Debug)]
pub struct Topic {
    client: Client,
    arn: String,
    webhooks: Webhooks,
}

/// What letters to the topic are addressed to.
const NAME: &str = "topic";

impl Topic {
    /// The topic of that ARN. The client's own retries should be off: letters are repeated anyway.
    #[must_use]
    pub fn new(client: Client, arn: impl Into<String>, webhooks: Webhooks) -> Self {
        Self { client, arn: arn.into(), webhooks }
    }

    async fn announce(&self, message: &Message) -> Answer {
        let began = Instant::now();
        let event = Event::read(&message.body).ok();
        let Ok(attributes) = attributes(message, event.as_ref()) else {
            return Answer::unsent("the event's attributes cannot be sent");
        };
        let lines = event.as_ref().map(Lines::of);
        let sent = self
            .client
            .publish()
            .topic_arn(&self.arn)
            .message(bodies(message, lines.as_ref()))
            .message_structure("json")
            .set_subject(lines.as_ref().and_then(subject))
            .set_message_attributes(Some(attributes))
            .send()
            .await;
        let took = began.elapsed();
        match sent {
            Ok(out) => {
                let text = out.message_id.unwrap_or_default();
                Answer { took, status: Some(200), text, verdict: Verdict::Delivered }
            }
            Err(error) => {
                let status = error.raw_response().map(|raw| raw.status().as_u16());
                let error = DisplayErrorContext(&error).to_string();
                let verdict = Verdict::Failed { error, retry_after: None };
                Answer { took, status, text: String::new(), verdict }
            }
        }
    }
}

impl Publisher for Topic {
    fn standing(&self) -> &[&str] {
        &[NAME]
    }

    async fn publish(&self, to: Destination<'_>, message: &Message, now: EpochMs) -> Answer {
        match to {
            Destination::Standing(_) => self.announce(message).await,
            Destination::Channel(_) => self.webhooks.publish(to, message, now).await,
        }
    }
}

/// The event for programs, and its lines for who reads mail.
fn bodies(message: &Message, lines: Option<&Lines>) -> String {
    let mail = lines.map_or_else(|| message.body.clone(), |lines| lines.alerts.join("\n"));
    serde_json::json!({ "default": message.body, "email": mail }).to_string()
}

/// ASCII, as the service wants it, beginning with a letter; none rather than a bad one.
fn subject(lines: &Lines) -> Option<String> {
    let ascii = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    let subject: String = lines.subject.chars().map(ascii).collect();
    subject.starts_with(|c: char| c.is_ascii_alphanumeric()).then_some(subject)
}

/// What subscriptions can filter by.
fn attributes(
    message: &Message,
    event: Option<&Event>,
) -> Result<HashMap<String, MessageAttributeValue>, aws_sdk_sns::error::BuildError> {
    let severity = event.map_or("", |event| event.data.severity.as_str());
    let tags = event.and_then(|event| event.data.stream.as_ref()).map(|stream| &stream.tags);
    let tags: Vec<String> =
        tags.into_iter().flatten().map(|(name, value)| format!("{name}={value}")).collect();
    let tags = if tags.is_empty() { String::new() } else { serde_json::json!(tags).to_string() };
    let all = [
        ("event", "String", message.kind.as_str()),
        ("event_id", "String", &message.id),
        ("account", "String", &message.account),
        ("stream_id", "String", &message.stream),
        ("severity", "String", severity),
        ("tag", "String.Array", &tags),
    ];
    // An attribute may not be empty.
    let all = all.into_iter().filter(|(_, _, value)| !value.is_empty());
    all.map(|(name, kind, value)| {
        let value = MessageAttributeValue::builder().data_type(kind).string_value(value).build()?;
        Ok((name.to_owned(), value))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sns::config::{BehaviorVersion, Credentials, Region};
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use std::sync::{Arc, Mutex};

    /// A service that answers with one status and keeps what it is asked.
    #[derive(Clone, Debug)]
    struct Service {
        status: u16,
        asked: Arc<Mutex<Vec<HashMap<String, String>>>>,
    }

    impl HttpConnector for Service {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let form = url::form_urlencoded::parse(request.body().bytes().unwrap());
            self.asked.lock().unwrap().push(form.into_owned().collect());
            let body = "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>";
            let status = StatusCode::try_from(self.status).unwrap();
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
        }
    }

    impl HttpClient for Service {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    async fn publish(status: u16, name: &str) -> (Answer, HashMap<String, String>) {
        let service = Service { status, asked: Arc::default() };
        let config = aws_sdk_sns::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(Credentials::new("id", "key", None, None, "test"))
            .retry_config(aws_sdk_sns::config::retry::RetryConfig::disabled())
            .http_client(service.clone())
            .build();
        let fetcher = hlsops_fetch::Fetcher::new(hlsops_fetch::FetchConfig::default()).unwrap();
        let topic = Topic::new(Client::from_conf(config), "arn:aws:sns:x:1:events", Webhooks::new(fetcher));
        let stream = crate::event::Stream {
            id: "str_1".into(),
            link_id: None,
            name: name.into(),
            manifest_url: "https://h/a".into(),
            tags: [("team".into(), "sports".into())].into(),
            removed: false,
        };
        let mut event = crate::event::test("chn", "x", EpochMs(1_610_541_723_000));
        (event.data.stream, event.data.severity) = (Some(stream), "critical".into());
        let message = Message {
            id: "inc:1.1".into(),
            kind: "incident.opened".into(),
            account: "default".into(),
            stream: "str_1".into(),
            body: event.to_json(),
        };
        let answer = topic.publish(Destination::Standing(NAME), &message, EpochMs(0)).await;
        let asked = service.asked.lock().unwrap().remove(0);
        (answer, asked)
    }

    #[tokio::test]
    async fn an_event_is_published_with_what_subscriptions_filter_by() {
        let (answer, asked) = publish(200, "Zürich\r\n1").await;
        assert_eq!((answer.verdict, answer.text.as_str()), (Verdict::Delivered, "m-1"));
        assert_eq!(asked["TopicArn"], "arn:aws:sns:x:1:events");
        assert!(asked["Subject"].starts_with("TEST: Z?rich 1 (str_1) - "), "{asked:?}");
        let bodies: HashMap<String, String> = serde_json::from_str(&asked["Message"]).unwrap();
        assert!(Event::read(&bodies["default"]).is_ok() && bodies["email"].contains("[str_1] Time (UTC): "));
        let mut attributes = HashMap::new();
        for n in 1..=6 {
            let part = |part: &str| asked[&format!("MessageAttributes.entry.{n}.{part}")].clone();
            attributes.insert(part("Name"), part("Value.StringValue"));
        }
        let expected = [
            ("event", "incident.opened"),
            ("event_id", "inc:1.1"),
            ("account", "default"),
            ("stream_id", "str_1"),
            ("severity", "critical"),
            ("tag", r#"["team=sports"]"#),
        ];
        assert_eq!(attributes, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[tokio::test]
    async fn a_refusal_is_a_failure() {
        let (answer, _) = publish(503, "x").await;
        assert_eq!(answer.status, Some(503));
        assert!(matches!(answer.verdict, Verdict::Failed { .. }), "{answer:?}");
    }
}
