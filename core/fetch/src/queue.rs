//! The queue in front of each host: at most so many requests at once, first come first served.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One queue per host and port. A host is known only while a request waits or runs, so the map
/// is never longer than the number of requests under way.
#[derive(Debug)]
pub(crate) struct Queues {
    per_host: usize,
    hosts: Mutex<HashMap<Key, Queue>>,
}

type Key = (Box<str>, u16);

#[derive(Debug)]
struct Queue {
    slots: Arc<Semaphore>,
    /// Requests that wait or run.
    users: usize,
}

impl Queues {
    pub(crate) fn new(per_host: usize) -> Arc<Self> {
        Arc::new(Self { per_host, hosts: Mutex::default() })
    }

    /// Joins the queue of a host. Dropping the result leaves it, waiting or not.
    pub(crate) fn join(self: &Arc<Self>, host: &str, port: u16) -> Place {
        let key: Key = (host.into(), port);
        let mut hosts = self.hosts();
        let queue = hosts
            .entry(key.clone())
            .or_insert_with(|| Queue { slots: Arc::new(Semaphore::new(self.per_host)), users: 0 });
        queue.users += 1;
        let slots = Arc::clone(&queue.slots);
        Place { queues: Arc::clone(self), key, slots, permit: None }
    }

    /// How many hosts have requests waiting or running.
    pub(crate) fn len(&self) -> usize {
        self.hosts().len()
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<Key, Queue>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a host's queue.
#[derive(Debug)]
pub(crate) struct Place {
    queues: Arc<Queues>,
    key: Key,
    slots: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// Takes a slot if one is free and nobody waits.
    pub(crate) fn try_enter(&mut self) -> bool {
        self.permit = Arc::clone(&self.slots).try_acquire_owned().ok();
        self.permit.is_some()
    }

    /// Waits for a slot.
    pub(crate) async fn enter(&mut self) {
        // The semaphore is never closed, so the only error cannot happen; without a permit the
        // request would merely run unlimited.
        self.permit = Arc::clone(&self.slots).acquire_owned().await.ok();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.permit = None;
        let mut hosts = self.queues.hosts();
        if let Some(queue) = hosts.get_mut(&self.key) {
            queue.users -= 1;
            if queue.users == 0 {
                hosts.remove(&self.key);
            }
        }
    }
}
