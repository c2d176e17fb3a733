//! The stack: what it is now, what a template would change, and changing it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{
    Capability, ChangeSetStatus, ChangeSetType, Parameter, Replacement, ResourceChange, ResourceStatus, Tag,
};

use crate::error::Error;

/// CloudFront takes about ten minutes; nothing takes longer.
const LONGEST: Duration = Duration::from_secs(3_600);
/// First pause between looks; each next is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const MAX_PAGES: usize = 50;
/// Reasons of a failure that are shown.
const REASONS: usize = 10;

/// A stack by its name.
pub(crate) struct Stack {
    pub(crate) client: Client,
    pub(crate) name: String,
}

/// What a stack is now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) status: String,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) outputs: BTreeMap<String, String>,
}

/// A change of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Add, Modify, Remove...
    pub(crate) action: String,
    /// Its name in the template.
    pub(crate) resource: String,
    /// `AWS::DynamoDB::Table`
    pub(crate) kind: String,
    /// Whether what is there is replaced by something new.
    pub(crate) replaces: bool,
}

/// A change set that has been worked out and not been carried out.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    id: String,
    pub(crate) creates: bool,
    pub(crate) changes: Vec<Change>,
}

impl Stack {
    /// What it is now; none if it is not there.
    pub(crate) async fn find(&self) -> Result<Option<Found>, Error> {
        let described = self.client.describe_stacks().stack_name(&self.name).send().await;
        let stacks = match described {
            Ok(answer) => answer.stacks.unwrap_or_default(),
            Err(error) if error.message().is_some_and(|said| said.contains("does not exist")) => {
                return Ok(None);
            }
            Err(error) => return Err(Error::refused(format!("look at the stack `{}`", self.name))(error)),
        };
        Ok(stacks.into_iter().next().map(|stack| {
            let pair = |name: Option<String>, value: Option<String>| Some((name?, value?));
            let parameters = stack.parameters.unwrap_or_default().into_iter();
            let outputs = stack.outputs.unwrap_or_default().into_iter();
            Found {
                status: stack.stack_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
                parameters: parameters.filter_map(|p| pair(p.parameter_key, p.parameter_value)).collect(),
                outputs: outputs.filter_map(|o| pair(o.output_key, o.output_value)).collect(),
            }
        }))
    }

    /// Works out what a template and its parameters would change; none if nothing.
    pub(crate) async fn plan(
        &self,
        now: Option<&Found>,
        template: &str,
        values: &BTreeMap<String, String>,
    ) -> Result<Option<Plan>, Error> {
        let creates = now.is_none_or(|found| found.status == "REVIEW_IN_PROGRESS");
        if let Some(remedy) = now.and_then(|found| remedy(&found.status)) {
            let status = now.map(|found| found.status.clone()).unwrap_or_default();
            return Err(Error::Stuck { stack: self.name.clone(), status, remedy });
        }
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let parameters = values
            .iter()
            .map(|(name, value)| Parameter::builder().parameter_key(name).parameter_value(value).build());
        let kind = if creates { ChangeSetType::Create } else { ChangeSetType::Update };
        let created = self
            .client
            .create_change_set()
            .stack_name(&self.name)
            .change_set_name(format!("deploy-{seconds}"))
            .change_set_type(kind)
            .template_body(template)
            .set_parameters(Some(parameters.collect()))
            .capabilities(Capability::CapabilityIam)
            .tags(Tag::builder().key("application").value("hlsops").build())
            .send()
            .await
            .map_err(Error::refused("work out the changes"))?;
        let id = created.id.ok_or(Error::Lacks { what: "change set" })?;
        let plan = Plan { id, creates, changes: Vec::new() };
        match self.changes(&plan.id).await? {
            Some(changes) => Ok(Some(Plan { changes, ..plan })),
            None => {
                self.discard(&plan).await?;
                Ok(None)
            }
        }
    }

    /// The changes of a change set, once it is worked out; none if there are none.
    async fn changes(&self, id: &str) -> Result<Option<Vec<Change>>, Error> {
        let mut wait = Wait::new();
        loop {
            let described = self.client.describe_change_set().stack_name(&self.name).change_set_name(id);
            let described = described.send().await.map_err(Error::refused("read the changes"))?;
            let reason = described.status_reason.unwrap_or_default();
            match described.status {
                Some(ChangeSetStatus::CreateComplete) => {}
                Some(ChangeSetStatus::Failed) if is_no_change(&reason) => return Ok(None),
                Some(ChangeSetStatus::Failed) => {
                    let doing = "work out the changes".into();
                    return Err(Error::Refused { doing, code: "FAILED".into(), reason });
                }
                status => {
                    let status = status.map(|status| status.as_str().to_owned()).unwrap_or_default();
                    wait.or_late(self, &status).await?;
                    continue;
                }
            }
            let first = described.changes.unwrap_or_default();
            let mut changes: Vec<Change> =
                first.into_iter().filter_map(|c| change(c.resource_change)).collect();
            let mut token = described.next_token;
            for _ in 0..MAX_PAGES {
                let Some(next) = token else { break };
                let more = self.client.describe_change_set().stack_name(&self.name).change_set_name(id);
                let more = more.next_token(next).send().await.map_err(Error::refused("read the changes"))?;
                changes.extend(
                    more.changes.unwrap_or_default().into_iter().filter_map(|c| change(c.resource_change)),
                );
                token = more.next_token;
            }
            return Ok(Some(changes));
        }
    }

    /// Throws a plan away, and the empty stack that a first one leaves.
    pub(crate) async fn discard(&self, plan: &Plan) -> Result<(), Error> {
        let delete = self.client.delete_change_set().stack_name(&self.name).change_set_name(&plan.id);
        delete.send().await.map_err(Error::refused("throw the changes away"))?;
        if plan.creates {
            let delete = self.client.delete_stack().stack_name(&self.name).send().await;
            delete.map_err(Error::refused("remove the empty stack"))?;
        }
        Ok(())
    }

    /// Carries a plan out and waits for the end.
    pub(crate) async fn apply(&self, plan: &Plan) -> Result<Found, Error> {
        let execute = self.client.execute_change_set().stack_name(&self.name).change_set_name(&plan.id);
        execute.send().await.map_err(Error::refused("carry the changes out"))?;
        let found = self.settle().await?.ok_or(Error::Lacks { what: "stack" })?;
        if matches!(found.status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE") {
            return Ok(found);
        }
        Err(self.failure(found.status).await)
    }

    /// Deletes it and waits for the end.
    pub(crate) async fn delete(&self) -> Result<(), Error> {
        let delete = self.client.delete_stack().stack_name(&self.name).send().await;
        delete.map_err(Error::refused(format!("delete the stack `{}`", self.name)))?;
        match self.settle().await? {
            None => Ok(()),
            Some(found) if found.status == "DELETE_COMPLETE" => Ok(()),
            Some(found) => Err(self.failure(found.status).await),
        }
    }

    /// The physical name of a resource, if it has one.
    pub(crate) async fn resource(&self, name: &str) -> Result<Option<String>, Error> {
        let request = self.client.describe_stack_resource().stack_name(&self.name).logical_resource_id(name);
        match request.send().await {
            Ok(answer) => Ok(answer.stack_resource_detail.and_then(|detail| detail.physical_resource_id)),
            Err(error) if error.message().is_some_and(|said| said.contains("does not exist")) => Ok(None),
            Err(error) => Err(Error::refused(format!("look at the resource `{name}`"))(error)),
        }
    }

    /// Waits until nothing is in progress.
    async fn settle(&self) -> Result<Option<Found>, Error> {
        let mut wait = Wait::new();
        loop {
            match self.find().await? {
                Some(found) if found.status.ends_with("_IN_PROGRESS") => {
                    wait.or_late(self, &found.status).await?;
                }
                settled => return Ok(settled),
            }
        }
    }

    /// Why it ended like that, oldest reason first.
    async fn failure(&self, status: String) -> Error {
        let events = self.client.describe_stack_events().stack_name(&self.name).send().await;
        let events = events.ok().and_then(|answer| answer.stack_events).unwrap_or_default();
        let failed = events.iter().filter(|event| {
            event
                .resource_status()
                .map(ResourceStatus::as_str)
                .is_some_and(|status| status.ends_with("_FAILED"))
        });
        let mut reasons: Vec<String> = failed
            .take(REASONS)
            .map(|event| {
                let resource = event.logical_resource_id().unwrap_or_default();
                format!("\n    {resource}: {}", event.resource_status_reason().unwrap_or("no reason given"))
            })
            .collect();
        reasons.reverse();
        Error::Failed { stack: self.name.clone(), status, reasons: reasons.concat() }
    }
}

/// Growing pauses up to the longest wait.
struct Wait {
    start: Instant,
    pause: Duration,
}

impl Wait {
    fn new() -> Self {
        Self { start: Instant::now(), pause: FIRST_PAUSE }
    }

    async fn or_late(&mut self, stack: &Stack, status: &str) -> Result<(), Error> {
        if self.start.elapsed() > LONGEST {
            return Err(Error::Late { stack: stack.name.clone(), status: status.into() });
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

/// What to do about a stack that cannot be updated; none if it can.
fn remedy(status: &str) -> Option<&'static str> {
    match status {
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" => {
            Some("its creation failed, so it must go first: cargo xtask destroy")
        }
        "DELETE_FAILED" => Some("deleting it failed: try again with cargo xtask destroy"),
        "UPDATE_ROLLBACK_FAILED" => {
            Some("going back failed: `aws cloudformation continue-update-rollback`, then try again")
        }
        "REVIEW_IN_PROGRESS" => None,
        busy if busy.ends_with("_IN_PROGRESS") => Some("somebody is changing it: wait until that is done"),
        _ => None,
    }
}

fn is_no_change(reason: &str) -> bool {
    reason.contains("didn't contain changes") || reason.contains("No updates are to be performed")
}

fn change(change: Option<ResourceChange>) -> Option<Change> {
    let change = change?;
    Some(Change {
        action: change.action.as_ref().map(|action| action.as_str().to_owned()).unwrap_or_default(),
        resource: change.logical_resource_id?,
        kind: change.resource_type.unwrap_or_default(),
        replaces: change.replacement == Some(Replacement::True),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_updated_says_what_to_do() {
        for fine in ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"] {
            assert_eq!(remedy(fine), None, "{fine}");
        }
        for stuck in ["ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"] {
            assert!(remedy(stuck).is_some(), "{stuck}");
        }
    }
}
