//! Faults on demand, for tests of what stands on top: a connector in front of the engine's own.

use crate::{
    connector::{Direct, Job},
    operation::Operation,
    reply::{Actions, Reply},
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use std::{
    collections::BTreeMap,
    fmt, future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// What happens to one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it is executed and answered.
    #[default]
    None,
    /// Not executed; answered as throttled (`ProvisionedThroughputExceededException`).
    Throttle,
    /// Not executed; answered with status 500. The caller cannot tell it from [`Fault::LoseReply`].
    Fail,
    /// Executed; answered with status 500.
    LoseReply,
    /// Executed; the caller sees a timeout of the connection.
    TimeOut,
    /// Not executed; another transaction holds an item (`TransactionConflict`), which the engine
    /// never says by itself because its writes wait for each other.
    Conflict,
    /// Executed after a wait (tokio's time, so virtual where that is paused); then answered.
    Delay(Duration),
    /// The process dies before the call is executed, see [`FaultPlan::crashed`].
    CrashBefore,
    /// The process dies after the call was executed.
    CrashAfter,
}

/// One call of a client, as its plan sees it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What is called.
    pub operation: Operation,
    /// Which call of this operation it is, from 1.
    pub nth: u64,
    /// Which call at all it is, from 1.
    pub total: u64,
    /// The request's JSON, for plans that look at keys.
    pub body: &'a str,
}

/// Decides the fate of each call, and counts them. Clones share the counts.
///
/// Calls are counted in the order in which they are sent, so a plan is as deterministic as its
/// client's task.
#[derive(Clone)]
pub struct FaultPlan {
    inner: Arc<Inner>,
}

struct Inner {
    decide: Box<dyn Fn(&Call<'_>) -> Fault + Send + Sync>,
    counts: Mutex<BTreeMap<Operation, u64>>,
    dead: watch::Sender<bool>,
}

impl FaultPlan {
    /// Asks this for each call.
    pub fn new(decide: impl Fn(&Call<'_>) -> Fault + Send + Sync + 'static) -> Self {
        let (dead, _) = watch::channel(false);
        Self { inner: Arc::new(Inner { decide: Box::new(decide), counts: Mutex::default(), dead }) }
    }

    /// No faults; only counts.
    pub fn none() -> Self {
        Self::new(|_| Fault::None)
    }

    /// One fault: at the `nth` call (from 1) of an operation.
    pub fn at(operation: Operation, nth: u64, fault: Fault) -> Self {
        Self::script([(operation, nth, fault)])
    }

    /// Some faults, each at the `nth` call (from 1) of an operation.
    pub fn script(faults: impl IntoIterator<Item = (Operation, u64, Fault)>) -> Self {
        let script: BTreeMap<_, _> =
            faults.into_iter().map(|(operation, nth, fault)| ((operation, nth), fault)).collect();
        Self::new(move |call| script.get(&(call.operation, call.nth)).copied().unwrap_or_default())
    }

    /// The same fault at every n-th call of any operation.
    pub fn every(nth: u64, fault: Fault) -> Self {
        Self::new(move |call| if call.total.is_multiple_of(nth) { fault } else { Fault::None })
    }

    /// Calls so far, whatever became of them. None is counted after a crash.
    pub fn calls(&self) -> u64 {
        self.counts().values().sum()
    }

    /// Calls of one operation so far.
    pub fn calls_of(&self, operation: Operation) -> u64 {
        self.counts().get(&operation).copied().unwrap_or_default()
    }

    /// Returns once a crash has happened.
    ///
    /// From then on no call through this plan is executed or answered any more: its futures never
    /// resolve, as if the process were gone. The test waits for this and drops what it runs:
    /// `select! { done = watcher => .., () = plan.crashed() => .. }`.
    pub async fn crashed(&self) {
        // Fails only if the sender is gone, and `self` holds it.
        let _ = self.inner.dead.subscribe().wait_for(|dead| *dead).await;
    }

    /// Whether a crash has happened.
    pub fn is_crashed(&self) -> bool {
        *self.inner.dead.borrow()
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, BTreeMap<Operation, u64>> {
        self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the call and decides.
    fn decide(&self, job: &Job) -> Fault {
        let (nth, total) = {
            let mut counts = self.counts();
            let nth = counts.entry(job.operation).or_default();
            *nth += 1;
            (*nth, counts.values().sum())
        };
        let body = std::str::from_utf8(&job.body).unwrap_or_default();
        (self.inner.decide)(&Call { operation: job.operation, nth, total, body })
    }

    fn crash(&self) {
        self.inner.dead.send_replace(true);
    }
}

impl fmt::Debug for FaultPlan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("FaultPlan").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

/// The engine's connector behind a plan.
#[derive(Clone, Debug)]
pub(crate) struct Faulty {
    engine: Direct,
    plan: FaultPlan,
}

impl Faulty {
    pub(crate) fn new(engine: Direct, plan: FaultPlan) -> Self {
        Self { engine, plan }
    }

    async fn answer(self, job: Job, fault: Fault) -> Result<HttpResponse, ConnectorError> {
        match fault {
            Fault::None => self.alive(job).await?.into_response(),
            Fault::Throttle => throttled().into_response(),
            Fault::Fail => internal_error().into_response(),
            Fault::Conflict => conflict(&job).into_response(),
            Fault::LoseReply => {
                self.alive(job).await?;
                internal_error().into_response()
            }
            Fault::TimeOut => {
                self.alive(job).await?;
                Err(ConnectorError::timeout("the reply was lost, as the test planned".into()))
            }
            Fault::Delay(wait) => {
                tokio::time::sleep(wait).await;
                self.alive(job).await?.into_response()
            }
            Fault::CrashBefore => {
                self.plan.crash();
                future::pending().await
            }
            Fault::CrashAfter => {
                self.engine.execute(job).await?;
                self.plan.crash();
                future::pending().await
            }
        }
    }

    /// Executes and answers, unless the process has died: not started then, or its answer unread.
    async fn alive(&self, job: Job) -> Result<Reply, ConnectorError> {
        if self.plan.is_crashed() {
            return future::pending().await;
        }
        let reply = self.engine.execute(job).await;
        if self.plan.is_crashed() {
            return future::pending().await;
        }
        reply
    }
}

impl HttpConnector for Faulty {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if self.plan.is_crashed() {
            return HttpConnectorFuture::new(future::pending());
        }
        match Job::read(&request) {
            Ok(job) => {
                let fault = self.plan.decide(&job);
                HttpConnectorFuture::new(self.clone().answer(job, fault))
            }
            Err(reply) => HttpConnectorFuture::ready(reply.into_response()),
        }
    }
}

impl HttpClient for Faulty {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn throttled() -> Reply {
    Reply::error(400, "ProvisionedThroughputExceededException", "throttled, as the test planned")
}

fn internal_error() -> Reply {
    Reply::error(500, "InternalServerError", "internal error, as the test planned")
}

fn conflict(job: &Job) -> Reply {
    let message = "another transaction is ongoing for the item, as the test planned";
    match job.operation {
        Operation::TransactWriteItems | Operation::TransactGetItems => {
            Reply::cancelled("TransactionConflict", message, Actions::of(job.operation, &job.body).count)
        }
        _ => Reply::error(400, "TransactionConflictException", message),
    }
}
