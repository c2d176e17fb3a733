//! Trying again, and telling the kinds of failure apart.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::Store;
use crate::error::StoreError;
use crate::item::Item;

/// How calls are repeated that were throttled or got no answer.
///
/// The wait before attempt n is a random part of `base` x 2^n, at most `cap` ("full jitter"). The SDK's own
/// retries should be off, else both multiply; that they are on is harmless otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all. Default: 6.
    pub attempts: u32,
    /// Default: 25 ms.
    pub base: Duration,
    /// Default: 1 s.
    pub cap: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 6, base: Duration::from_millis(25), cap: Duration::from_secs(1) }
    }
}

impl Retry {
    async fn pause(&self, attempt: u32) {
        let most = self.base.saturating_mul(1 << attempt.min(16)).min(self.cap);
        // Randomly seeded by the standard library; good enough to spread callers out.
        let random = RandomState::new().build_hasher().finish();
        let share = f64::from(u32::try_from(random >> 32).unwrap_or_default()) / f64::from(u32::MAX);
        tokio::time::sleep(most.mul_f64(share)).await;
    }
}

impl Store {
    /// Sends until there is an answer that counts, or no attempt is left.
    pub(crate) async fn attempt<T, E, F>(
        &self,
        operation: &'static str,
        mut call: impl FnMut() -> F,
        refused: impl Fn(&E) -> Option<Vec<Option<Item>>>,
    ) -> Result<Result<T, Vec<Option<Item>>>, StoreError>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let attempts = self.retry.attempts.max(1);
        let mut attempt = 0;
        loop {
            let error = match call().await {
                Ok(answer) => return Ok(Ok(answer)),
                Err(error) => error,
            };
            if let Some(items) = error.as_service_error().and_then(&refused) {
                return Ok(Err(items));
            }
            attempt += 1;
            let trouble = Trouble::of(&error);
            if attempt >= attempts || matches!(trouble, Trouble::Refused) {
                return Err(trouble.into_error(operation, attempt, &error));
            }
            self.retry.pause(attempt).await;
        }
    }
}

/// Kinds of failure.
enum Trouble {
    Throttled,
    Unanswered,
    Refused,
}

impl Trouble {
    fn of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        let Some(service) = error.as_service_error() else {
            return match error {
                SdkError::ConstructionFailure(_) => Self::Refused,
                _ => Self::Unanswered,
            };
        };
        let status = error.raw_response().map_or(0, |raw| raw.status().as_u16());
        match service.code().unwrap_or_default() {
            "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ThrottlingException"
            | "LimitExceededException"
            | "TransactionConflictException" => Self::Throttled,
            // Reasons that a condition explains were taken out before.
            "TransactionCanceledException"
                if ["ValidationError", "ItemCollectionSizeLimitExceeded"]
                    .iter()
                    .all(|reason| !service.message().unwrap_or_default().contains(reason)) =>
            {
                Self::Throttled
            }
            "InternalServerError" | "TransactionInProgressException" => Self::Unanswered,
            _ if status >= 500 => Self::Unanswered,
            _ => Self::Refused,
        }
    }

    fn into_error<E>(self, operation: &'static str, attempts: u32, error: &SdkError<E>) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let reason = || DisplayErrorContext(error).to_string();
        match self {
            Self::Throttled => StoreError::Throttled { operation, attempts },
            Self::Unanswered => StoreError::Unanswered { operation, attempts, reason: reason() },
            Self::Refused => StoreError::Refused {
                operation,
                code: error.code().unwrap_or("no code").into(),
                reason: error.message().map_or_else(reason, Into::into),
            },
        }
    }
}
