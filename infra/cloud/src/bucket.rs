//! Buckets: creating, filling, emptying.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, Delete, ObjectIdentifier,
    PublicAccessBlockConfiguration,
};

use crate::error::Error;
use crate::package::content_hash;

/// Pages of a bucket's list that are read at most: a million objects.
const MAX_PAGES: usize = 1_000;

/// The name under which an object carries the hash of its content.
const HASH: &str = "sha256";

/// A bucket.
pub(crate) struct Bucket {
    pub(crate) client: Client,
    pub(crate) name: String,
}

/// What an object is like to those who load it.
pub(crate) struct Manners {
    pub(crate) content_type: &'static str,
    pub(crate) cache_control: &'static str,
}

impl Bucket {
    /// Whether it is there and ours.
    pub(crate) async fn exists(&self) -> Result<bool, Error> {
        match self.client.head_bucket().bucket(&self.name).send().await {
            Ok(_) => Ok(true),
            Err(error) if status(&error) == Some(404) => Ok(false),
            Err(error) => Err(Error::refused(format!("look at the bucket `{}`", self.name))(error)),
        }
    }

    /// Creates it if it is missing, closed to the public.
    pub(crate) async fn ensure(&self, region: &str) -> Result<(), Error> {
        if self.exists().await? {
            return Ok(());
        }
        // The first region is the one that may not be named.
        let place = (region != "us-east-1").then(|| {
            let constraint = BucketLocationConstraint::from(region);
            CreateBucketConfiguration::builder().location_constraint(constraint).build()
        });
        let create = self.client.create_bucket().bucket(&self.name).set_create_bucket_configuration(place);
        match create.send().await {
            Err(error) if error.code() != Some("BucketAlreadyOwnedByYou") => {
                return Err(Error::refused(format!("create the bucket `{}`", self.name))(error));
            }
            _ => {}
        }
        let closed = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .block_public_policy(true)
            .ignore_public_acls(true)
            .restrict_public_buckets(true)
            .build();
        let block = self.client.put_public_access_block().bucket(&self.name);
        let block = block.public_access_block_configuration(closed).send().await;
        block.map_err(Error::refused(format!("close the bucket `{}` to the public", self.name)))?;
        Ok(())
    }

    /// Stores an object unless it is there with this content; whether it was stored.
    pub(crate) async fn put(&self, key: &str, content: Vec<u8>, manners: &Manners) -> Result<bool, Error> {
        let hash = content_hash(&content);
        let stored = self.head(key).await?.is_some_and(|head| {
            head.metadata().and_then(|metadata| metadata.get(HASH)) == Some(&hash)
                && head.cache_control() == Some(manners.cache_control)
        });
        if stored {
            return Ok(false);
        }
        let put = self.client.put_object().bucket(&self.name).key(key).metadata(HASH, hash);
        let put = put.content_type(manners.content_type).cache_control(manners.cache_control);
        let put = put.body(ByteStream::from(content)).send().await;
        put.map_err(Error::refused(format!("store `{key}` in the bucket `{}`", self.name)))?;
        Ok(true)
    }

    async fn head(&self, key: &str) -> Result<Option<HeadObjectOutput>, Error> {
        match self.client.head_object().bucket(&self.name).key(key).send().await {
            Ok(head) => Ok(Some(head)),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(Error::refused(format!("look at `{key}` in `{}`", self.name))(error)),
        }
    }

    /// Removes the objects that are older than `age` and that `keep` does not want; how many.
    pub(crate) async fn sweep(&self, age: Duration, keep: impl Fn(&str) -> bool) -> Result<usize, Error> {
        let limit = SystemTime::now() - age;
        let mut removed = 0;
        let mut token = None;
        for _ in 0..MAX_PAGES {
            let list = self.client.list_objects_v2().bucket(&self.name).set_continuation_token(token);
            let page = list.send().await;
            let page = page.map_err(Error::refused(format!("list the bucket `{}`", self.name)))?;
            let is_old = |modified: Option<&aws_sdk_s3::primitives::DateTime>| {
                modified.and_then(|at| SystemTime::try_from(*at).ok()).is_none_or(|at| at <= limit)
            };
            let stale = page.contents().iter().filter(|object| is_old(object.last_modified()));
            let keys = stale.filter_map(|object| object.key()).filter(|key| !keep(key));
            let keys: Vec<String> = keys.map(str::to_owned).collect();
            removed += keys.len();
            self.remove(&keys).await?;
            token = page.next_continuation_token;
            if token.is_none() {
                break;
            }
        }
        Ok(removed)
    }

    /// Removes objects, at most a list's page of them.
    async fn remove(&self, keys: &[String]) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        let doing = format!("remove objects of the bucket `{}`", self.name);
        let refused =
            |reason: String| Error::Refused { doing: doing.clone(), code: "incomplete".into(), reason };
        let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(key).build());
        let objects = objects.collect::<Result<Vec<_>, _>>().map_err(|error| refused(error.to_string()))?;
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let delete = delete.map_err(|error| refused(error.to_string()))?;
        let answer = self.client.delete_objects().bucket(&self.name).delete(delete).send().await;
        let answer = answer.map_err(Error::refused(doing.clone()))?;
        match answer.errors().first() {
            Some(first) => Err(refused(first.message().unwrap_or("no reason given").to_owned())),
            None => Ok(()),
        }
    }

    /// Removes the bucket, which must be empty.
    pub(crate) async fn delete(&self) -> Result<(), Error> {
        let deleted = self.client.delete_bucket().bucket(&self.name).send().await;
        deleted.map_err(Error::refused(format!("delete the bucket `{}`", self.name)))?;
        Ok(())
    }
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}
