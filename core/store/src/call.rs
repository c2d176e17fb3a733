//! Calls of the table: one place that sends, retries, and tells a refusal from a failure.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConsumedCapacity, Delete, Put, ReturnConsumedCapacity,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use crate::Store;
use crate::error::StoreError;
use crate::item::{Item, key_item};
use crate::keys::{Key, attribute};
use crate::spent::{Paid, Spent};

/// An expression with its names and values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Terms {
    pub(crate) fn name(mut self, placeholder: &str, name: &str) -> Self {
        self.names.insert(placeholder.into(), name.into());
        self
    }

    pub(crate) fn text(self, placeholder: &str, value: impl Into<String>) -> Self {
        self.value(placeholder, AttributeValue::S(value.into()))
    }

    pub(crate) fn number(self, placeholder: &str, value: u64) -> Self {
        self.value(placeholder, AttributeValue::N(value.to_string()))
    }

    pub(crate) fn value(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(placeholder.into(), value);
        self
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

/// What became of a conditional write.
#[derive(Debug)]
pub(crate) enum Verdict {
    Done,
    /// A condition did not hold. One entry for each item of a transaction: the item as it is where its
    /// condition failed and it exists.
    Refused(Vec<Option<Item>>),
}

impl Verdict {
    /// The item as it is, where a write of one item was refused.
    pub(crate) fn refused(self) -> Option<Option<Item>> {
        match self {
            Self::Done => None,
            Self::Refused(mut items) => Some(if items.is_empty() { None } else { items.swap_remove(0) }),
        }
    }
}

/// What one page of a query asks for.
#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub(crate) index: bool,
    pub(crate) condition: &'static str,
    pub(crate) terms: Terms,
    pub(crate) newest_first: bool,
    pub(crate) consistent: bool,
    pub(crate) limit: Option<u32>,
    pub(crate) after: Option<Item>,
}

impl Select {
    pub(crate) fn new(condition: &'static str, terms: Terms) -> Self {
        Self {
            index: false,
            condition,
            terms,
            newest_first: false,
            consistent: false,
            limit: None,
            after: None,
        }
    }

    pub(crate) fn index(condition: &'static str, terms: Terms) -> Self {
        Self { index: true, ..Self::new(condition, terms) }
    }
}

/// A page: its items, and where the next one begins.
pub(crate) type Page = (Vec<Item>, Option<Item>);

impl Store {
    /// Puts an item if the condition holds; no condition: always.
    pub(crate) async fn put(
        &self,
        operation: &'static str,
        item: &Item,
        condition: Option<&str>,
        terms: &Terms,
    ) -> Result<Paid<Verdict>, StoreError> {
        let call = || {
            self.client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item.clone()))
                .set_condition_expression(condition.map(Into::into))
                .set_expression_attribute_names(terms.names())
                .set_expression_attribute_values(terms.values())
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
        };
        let refused = |error: &PutItemError| match error {
            PutItemError::ConditionalCheckFailedException(failed) => Some(vec![failed.item.clone()]),
            _ => None,
        };
        let done = self.attempt(operation, call, refused).await?;
        Ok(done.map_or_else(Paid::refused, |out| Paid::wrote(Verdict::Done, out.consumed_capacity.as_ref())))
    }

    /// Changes an item if the condition holds; an empty condition: always.
    pub(crate) async fn update(
        &self,
        operation: &'static str,
        key: &Key<'_>,
        change: &str,
        condition: &str,
        terms: &Terms,
    ) -> Result<Paid<Verdict>, StoreError> {
        let call = || {
            self.client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key_item(key)))
                .update_expression(change)
                .set_condition_expression((!condition.is_empty()).then(|| condition.into()))
                .set_expression_attribute_names(terms.names())
                .set_expression_attribute_values(terms.values())
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
        };
        let refused = |error: &UpdateItemError| match error {
            UpdateItemError::ConditionalCheckFailedException(failed) => Some(vec![failed.item.clone()]),
            _ => None,
        };
        let done = self.attempt(operation, call, refused).await?;
        Ok(done.map_or_else(Paid::refused, |out| Paid::wrote(Verdict::Done, out.consumed_capacity.as_ref())))
    }

    /// All of them or none. The same token within ten minutes is the same transaction.
    pub(crate) async fn transact(
        &self,
        operation: &'static str,
        token: &str,
        writes: &[TransactWriteItem],
    ) -> Result<Paid<Verdict>, StoreError> {
        let call = || {
            self.client
                .transact_write_items()
                .set_transact_items(Some(writes.to_vec()))
                .client_request_token(token)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
        };
        let done = self.attempt(operation, call, cancelled).await?;
        Ok(done.map_or_else(Paid::refused, |out| {
            let spent = Spent::written_all(out.consumed_capacity());
            Paid { value: Verdict::Done, spent }
        }))
    }

    /// Reads one item.
    pub(crate) async fn get(
        &self,
        operation: &'static str,
        key: &Key<'_>,
        consistent: bool,
    ) -> Result<Paid<Option<Item>>, StoreError> {
        let call = || {
            self.client
                .get_item()
                .table_name(&self.table)
                .set_key(Some(key_item(key)))
                .consistent_read(consistent)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
        };
        let out = self.attempt(operation, call, |_| None).await?.map_err(|_| unexpected(operation))?;
        Ok(Paid { spent: Spent::read(out.consumed_capacity.as_ref()), value: out.item })
    }

    /// Reads one page.
    pub(crate) async fn query(
        &self,
        operation: &'static str,
        select: &Select,
    ) -> Result<Paid<Page>, StoreError> {
        let limit = select.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX));
        let call = || {
            self.client
                .query()
                .table_name(&self.table)
                .set_index_name(select.index.then(|| attribute::INDEX.into()))
                .key_condition_expression(select.condition)
                .set_expression_attribute_names(select.terms.names())
                .set_expression_attribute_values(select.terms.values())
                .scan_index_forward(!select.newest_first)
                .set_consistent_read((!select.index).then_some(select.consistent))
                .set_limit(limit)
                .set_exclusive_start_key(select.after.clone())
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
        };
        let out = self.attempt(operation, call, |_| None).await?.map_err(|_| unexpected(operation))?;
        let spent = Spent::read(out.consumed_capacity.as_ref());
        Ok(Paid { value: (out.items.unwrap_or_default(), out.last_evaluated_key), spent })
    }

    /// Reads pages until `most` items are there or there are no more.
    pub(crate) async fn query_all(
        &self,
        operation: &'static str,
        mut select: Select,
        most: usize,
    ) -> Result<Paid<Vec<Item>>, StoreError> {
        let mut all = Paid::free(Vec::new());
        loop {
            let (items, next) = self.query(operation, &select).await?.add_to(&mut all.spent);
            all.value.extend(items);
            if next.is_none() || all.value.len() >= most {
                all.value.truncate(most);
                return Ok(all);
            }
            select.after = next;
        }
    }

    /// A put as a part of a transaction.
    pub(crate) fn part_put(
        &self,
        item: Item,
        condition: Option<&str>,
        terms: &Terms,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .set_condition_expression(condition.map(Into::into))
            .set_expression_attribute_names(terms.names())
            .set_expression_attribute_values(terms.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        Ok(TransactWriteItem::builder().put(put.map_err(|_| unexpected("build a put"))?).build())
    }

    /// A change as a part of a transaction.
    pub(crate) fn part_update(
        &self,
        key: &Key<'_>,
        change: &str,
        condition: &str,
        terms: &Terms,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key_item(key)))
            .update_expression(change)
            .condition_expression(condition)
            .set_expression_attribute_names(terms.names())
            .set_expression_attribute_values(terms.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        Ok(TransactWriteItem::builder().update(update.map_err(|_| unexpected("build an update"))?).build())
    }

    /// A removal as a part of a transaction.
    pub(crate) fn part_delete(
        &self,
        key: &Key<'_>,
        condition: &str,
        terms: &Terms,
    ) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key_item(key)))
            .condition_expression(condition)
            .set_expression_attribute_names(terms.names())
            .set_expression_attribute_values(terms.values())
            .build();
        Ok(TransactWriteItem::builder().delete(delete.map_err(|_| unexpected("build a delete"))?).build())
    }
}

/// The items of a transaction that a condition cancelled. Cancelled for another reason only, such as a
/// conflict with a transaction under way, it is tried again.
fn cancelled(error: &TransactWriteItemsError) -> Option<Vec<Option<Item>>> {
    match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let reasons = cancelled.cancellation_reasons();
            let failed = reasons.iter().any(|r| r.code() == Some("ConditionalCheckFailed"));
            failed.then(|| reasons.iter().map(|reason| reason.item.clone()).collect())
        }
        // Somebody else's transaction with the same token: as if its condition had failed.
        TransactWriteItemsError::IdempotentParameterMismatchException(_) => Some(Vec::new()),
        _ => None,
    }
}

/// Something the SDK never does.
fn unexpected(operation: &'static str) -> StoreError {
    StoreError::Refused { operation, code: "incomplete".into(), reason: "a required field is missing".into() }
}

impl<T> Paid<T> {
    fn wrote(value: T, capacity: Option<&ConsumedCapacity>) -> Self {
        Self { value, spent: Spent::written(capacity) }
    }
}

impl Paid<Verdict> {
    /// DynamoDB charges a refused write and does not say how much.
    fn refused(items: Vec<Option<Item>>) -> Self {
        Self::free(Verdict::Refused(items))
    }
}
