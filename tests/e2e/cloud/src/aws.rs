//! The services below the installation, asked directly.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use hlsops_store::Store;

use crate::error::Error;

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(20);
/// Longest wait for a function.
const TICK: Duration = Duration::from_secs(60);

/// Clients of the emulator.
pub(crate) struct Services {
    pub(crate) endpoint: String,
    config: SdkConfig,
    queues: aws_sdk_sqs::Client,
    topics: aws_sdk_sns::Client,
    buckets: aws_sdk_s3::Client,
    stacks: aws_sdk_cloudformation::Client,
    http: reqwest::Client,
}

/// An object of a bucket, and what browsers are told of it.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) key: String,
    pub(crate) content_type: String,
    pub(crate) cache_control: String,
}

impl Services {
    pub(crate) async fn connect() -> Result<Self, Error> {
        let ring = tls::Provider::Rustls(CryptoMode::Ring);
        let http = aws_smithy_http_client::Builder::new().tls_provider(ring).build_https();
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ANSWER).build();
        let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
        let config = config.timeout_config(timeouts).load().await;
        let buckets = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        Ok(Self {
            endpoint: config.endpoint_url().ok_or(Error::NoEndpoint)?.trim_end_matches('/').to_owned(),
            queues: aws_sdk_sqs::Client::new(&config),
            topics: aws_sdk_sns::Client::new(&config),
            buckets: aws_sdk_s3::Client::from_conf(buckets),
            stacks: aws_sdk_cloudformation::Client::new(&config),
            http: reqwest::Client::builder().no_proxy().timeout(TICK).build().map_err(Error::Client)?,
            config,
        })
    }

    /// The installation's table.
    pub(crate) fn store(&self, table: &str) -> Store {
        Store::new(aws_sdk_dynamodb::Client::new(&self.config), table)
    }

    /// Makes a queue of the test's own and subscribes it to a topic; its URL.
    pub(crate) async fn subscribe_queue(&self, name: &str, topic: &str) -> Result<String, Error> {
        let made = self.queues.create_queue().queue_name(name).send().await;
        let url = made.map_err(Error::refused("make a queue"))?.queue_url.unwrap_or_default();
        let arn = aws_sdk_sqs::types::QueueAttributeName::QueueArn;
        let asked = self.queues.get_queue_attributes().queue_url(&url).attribute_names(arn.clone());
        let found = asked.send().await.map_err(Error::refused("look at a queue"))?;
        let arn = found.attributes().and_then(|all| all.get(&arn)).cloned().unwrap_or_default();
        let subscribe = self.topics.subscribe().topic_arn(topic).protocol("sqs").endpoint(arn);
        subscribe.send().await.map_err(Error::refused("subscribe a queue"))?;
        Ok(url)
    }

    /// Subscribes an endpoint to a topic; it gets a token that confirms it.
    pub(crate) async fn subscribe_http(&self, url: &str, topic: &str) -> Result<(), Error> {
        let subscribe = self.topics.subscribe().topic_arn(topic).protocol("http").endpoint(url);
        subscribe.send().await.map(drop).map_err(Error::refused("subscribe an endpoint"))
    }

    pub(crate) async fn confirm(&self, topic: &str, token: &str) -> Result<(), Error> {
        let confirm = self.topics.confirm_subscription().topic_arn(topic).token(token);
        confirm.send().await.map(drop).map_err(Error::refused("confirm a subscription"))
    }

    pub(crate) async fn send(&self, queue: &str, body: &str) -> Result<(), Error> {
        let send = self.queues.send_message().queue_url(queue).message_body(body).send().await;
        send.map(drop).map_err(Error::refused("send a message"))
    }

    /// Takes what is in a queue now.
    pub(crate) async fn take(&self, queue: &str) -> Result<Vec<String>, Error> {
        let mut bodies = Vec::new();
        loop {
            let receive = self.queues.receive_message().queue_url(queue).max_number_of_messages(10);
            let got = receive.send().await.map_err(Error::refused("receive messages"))?;
            if got.messages().is_empty() {
                return Ok(bodies);
            }
            for message in got.messages() {
                bodies.push(message.body().unwrap_or_default().to_owned());
                let delete = self.queues.delete_message().queue_url(queue);
                let delete = delete.receipt_handle(message.receipt_handle().unwrap_or_default());
                delete.send().await.map_err(Error::refused("delete a message"))?;
            }
        }
    }

    /// What a bucket holds.
    pub(crate) async fn objects(&self, bucket: &str) -> Result<Vec<Object>, Error> {
        let list = self.buckets.list_objects_v2().bucket(bucket).send().await;
        let list = list.map_err(Error::refused("list a bucket"))?;
        let mut objects = Vec::new();
        for key in list.contents().iter().filter_map(|object| object.key()) {
            let head = self.buckets.head_object().bucket(bucket).key(key).send().await;
            let head = head.map_err(Error::refused("look at an object"))?;
            objects.push(Object {
                key: key.to_owned(),
                content_type: head.content_type().unwrap_or_default().to_owned(),
                cache_control: head.cache_control().unwrap_or_default().to_owned(),
            });
        }
        Ok(objects)
    }

    /// The physical name of a stack's resource.
    pub(crate) async fn resource(&self, stack: &str, name: &str) -> Result<String, Error> {
        let asked = self.stacks.describe_stack_resource().stack_name(stack).logical_resource_id(name);
        let found = asked.send().await.map_err(Error::refused("look at a resource"))?;
        let physical = found.stack_resource_detail.and_then(|detail| detail.physical_resource_id);
        physical.ok_or_else(|| Error::Wrong(format!("the stack has no {name}")))
    }

    /// Invokes a function as the schedule does; what it answered.
    pub(crate) async fn invoke(&self, function: &str) -> Result<String, Error> {
        let what = format!("invoking {function}");
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.endpoint);
        let sent = self.http.post(url).body("{}").send().await;
        let answer = sent.map_err(|source| Error::Http { what: what.clone(), source })?;
        let status = answer.status().as_u16();
        let failed = answer.headers().contains_key("x-amz-function-error");
        let body = answer.text().await.map_err(|source| Error::Http { what: what.clone(), source })?;
        if status != 200 || failed { Err(Error::Answer { what, status, body }) } else { Ok(body) }
    }

    /// Everything there is that could cost something: tables, functions, queues, topics, buckets, stacks.
    pub(crate) async fn inventory(&self) -> Result<Vec<String>, Error> {
        let tables = aws_sdk_dynamodb::Client::new(&self.config).list_tables().send().await;
        let tables = tables.map_err(Error::refused("list tables"))?.table_names.unwrap_or_default();
        let queues = self.queues.list_queues().send().await.map_err(Error::refused("list queues"))?;
        let topics = self.topics.list_topics().send().await.map_err(Error::refused("list topics"))?;
        let buckets = self.buckets.list_buckets().send().await.map_err(Error::refused("list buckets"))?;
        let stacks = self.stacks.describe_stacks().send().await.map_err(Error::refused("list stacks"))?;
        let url = format!("{}/2015-03-31/functions/", self.endpoint);
        let functions = async { self.http.get(url).send().await?.json::<serde_json::Value>().await };
        let functions =
            functions.await.map_err(|source| Error::Http { what: "listing functions".into(), source })?;
        let named = |kind: &str, name: &str| format!("{kind} {name}");
        let mut all: Vec<String> = tables.iter().map(|name| named("table", name)).collect();
        all.extend(queues.queue_urls().iter().map(|url| named("queue", url)));
        all.extend(
            topics.topics().iter().filter_map(|topic| topic.topic_arn()).map(|arn| named("topic", arn)),
        );
        all.extend(buckets.buckets().iter().filter_map(|b| b.name()).map(|name| named("bucket", name)));
        all.extend(stacks.stacks().iter().filter_map(|s| s.stack_name()).map(|name| named("stack", name)));
        let functions = functions["Functions"].as_array().into_iter().flatten();
        all.extend(functions.map(|function| named("function", &function["FunctionName"].to_string())));
        Ok(all)
    }
}
