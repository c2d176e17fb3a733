//! Data of a page that is kept up to date by polling.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;

use crate::client::{Answer, Failure, client};
use crate::pace;
use crate::time;

/// The browser's clock, in milliseconds since 1970.
pub(crate) fn browser_now() -> f64 {
    js_sys::Date::now()
}

/// What the header says about the age of what is shown. One for the whole page.
#[derive(Clone, Copy)]
pub(crate) struct Freshness {
    /// The browser's clock in whole seconds, so that everything that follows it moves by one second at a time.
    now_ms: RwSignal<f64>,
    /// How far the server's clock is ahead of the browser's; none until it was told.
    ahead_ms: RwSignal<Option<f64>>,
    /// Pollers that the header speaks of. Where there is none, nothing is asked for and so nothing gets old.
    followed: StoredValue<u32>,
    /// When the last good answer came, by the browser's clock.
    heard_ms: RwSignal<Option<f64>>,
    /// The moment whose ages are shown, by the browser's clock.
    shown_ms: Memo<f64>,
    /// When the watcher heard of least last said something, by the server's clock.
    probed_ms: RwSignal<Option<i64>>,
    /// When a failed poll is repeated, by the browser's clock.
    retry_ms: RwSignal<Option<f64>>,
    /// The failed poll was answered.
    was_refused: RwSignal<bool>,
    /// Since when a poll has been waiting for its answer, by the browser's clock.
    asked_ms: RwSignal<Option<f64>>,
}

/// Nothing good is heard of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Silence {
    /// When the last good answer came, by the server's clock.
    pub(crate) since_ms: i64,
    /// What is shown is too old to be the present.
    pub(crate) is_stale: bool,
    /// It answered, but not with what was asked for.
    pub(crate) was_refused: bool,
}

impl Freshness {
    pub(crate) fn start() -> Self {
        let now_ms = RwSignal::new(pace::whole_second(browser_now()));
        let heard_ms = RwSignal::new(None);
        let fresh = Self {
            now_ms,
            ahead_ms: RwSignal::new(None),
            followed: StoredValue::new(0),
            heard_ms,
            shown_ms: Memo::new(move |_| pace::shown_ms(now_ms.get(), heard_ms.get())),
            probed_ms: RwSignal::new(None),
            retry_ms: RwSignal::new(None),
            was_refused: RwSignal::new(false),
            asked_ms: RwSignal::new(None),
        };
        provide_context(fresh);
        fresh.tick();
        fresh
    }

    /// It ticks as long as the page lives, with the seconds of the browser's clock.
    fn tick(self) {
        let now = browser_now();
        self.now_ms.set(pace::whole_second(now));
        set_timeout(move || self.tick(), Duration::from_secs_f64(pace::to_next_second_ms(now) / 1_000.0));
    }

    pub(crate) fn current() -> Self {
        use_context().unwrap_or_else(Self::start)
    }

    /// The server's clock, following the seconds.
    pub(crate) fn server_now(self) -> i64 {
        whole(self.now_ms.get() + self.ahead_ms.get().unwrap_or_default())
    }

    /// The server's clock, following the seconds until what is shown is too old to be the present: ages stop then.
    pub(crate) fn shown_now(self) -> i64 {
        whole(self.shown_ms.get() + self.ahead_ms.get().unwrap_or_default())
    }

    /// The server's clock now, without following it.
    pub(crate) fn server_now_untracked(self) -> i64 {
        whole(browser_now() + self.ahead_ms.get_untracked().unwrap_or_default())
    }

    /// How old the last good answer is, in milliseconds.
    pub(crate) fn data_age(self) -> Option<f64> {
        Some((self.now_ms.get() - self.heard_ms.get()?).max(0.0))
    }

    /// How long ago the watchers were last heard of, in milliseconds.
    pub(crate) fn probe_age(self) -> Option<i64> {
        Some((self.server_now() - self.probed_ms.get()?).max(0))
    }

    /// What is shown is too old to be the present.
    pub(crate) fn is_stale(self) -> bool {
        self.data_age().is_some_and(pace::is_stale)
    }

    /// From the first poll on that failed, or waits for its answer for too long.
    pub(crate) fn silence(self) -> Option<Silence> {
        let age = self.data_age()?;
        let waits = self.asked_ms.get().is_some_and(|asked| pace::is_late(self.now_ms.get() - asked));
        let failed = self.retry_ms.with(Option::is_some);
        let is_stale = pace::is_stale(age);
        (waits || failed || is_stale).then(|| Silence {
            since_ms: self.server_now() - whole(age),
            is_stale,
            was_refused: failed && self.was_refused.get(),
        })
    }

    /// Time until a failed poll is repeated, in milliseconds.
    pub(crate) fn retry_in(self) -> Option<f64> {
        self.retry_ms.get().map(|at| (at - self.now_ms.get()).max(0.0))
    }

    /// When the streams of this page were last looked at.
    pub(crate) fn probed(self, at: Option<&str>) {
        if let Some(at) = at.and_then(time::parse) {
            self.probed_ms.set(Some(at));
        }
    }

    /// A page begins that is polled.
    fn follow(self) {
        self.followed.update_value(|count| *count += 1);
        self.reset();
    }

    /// It is left. A page that polls nothing says nothing of ages.
    fn unfollow(self) {
        self.followed.update_value(|count| *count = count.saturating_sub(1));
        if self.followed.get_value() == 0 {
            self.reset();
        }
    }

    /// Another page begins with nothing heard.
    fn reset(self) {
        self.heard_ms.set(None);
        self.probed_ms.set(None);
        self.retry_ms.set(None);
        self.asked_ms.set(None);
    }

    fn heard(self, answer: &Answer) {
        self.heard_ms.set(Some(browser_now()));
        self.retry_ms.set(None);
        if let Some(as_of) = answer.as_of.as_deref().and_then(time::parse) {
            self.set_server_clock(as_of);
        }
        if let Some(probed) = answer.probed_at.as_deref().and_then(time::parse) {
            self.probed_ms.set(Some(probed));
        }
    }

    /// The server's clock as just told.
    fn set_server_clock(self, as_of: i64) {
        #[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
        let told = as_of as f64 - browser_now();
        let known = self.ahead_ms.get_untracked();
        let steady = Some(pace::steady(known, told));
        if known != steady {
            self.ahead_ms.set(steady);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a time of this age of the world")]
fn whole(ms: f64) -> i64 {
    ms as i64
}

/// How often something is asked for, and whether the header speaks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// What the page is about: the header shows its age.
    Main,
    /// As often.
    Side,
    /// A sixth as often: what costs the server more than it tells.
    Slow,
}

type Polled = Pin<Box<dyn Future<Output = Result<Answer, Failure>>>>;

struct Loop {
    load: Box<dyn Fn() -> Polled>,
    timer: Option<TimeoutHandle>,
    is_loading: bool,
    /// Somebody wants to see newer data than what is being loaded.
    again: bool,
    failures: u32,
}

/// Asks again and again, until the page is left.
#[derive(Clone, Copy)]
pub(crate) struct Poller {
    inner: StoredValue<Loop, LocalStorage>,
    fresh: Freshness,
    role: Role,
}

impl Poller {
    /// Polls with `load`, which keeps what it got.
    pub(crate) fn start<F, P>(role: Role, load: F) -> Self
    where
        F: Fn() -> P + 'static,
        P: Future<Output = Result<Answer, Failure>> + 'static,
    {
        let load = Box::new(move || Box::pin(load()) as Polled);
        let inner = Loop { load, timer: None, is_loading: false, again: false, failures: 0 };
        let poller = Self { inner: StoredValue::new_local(inner), fresh: Freshness::current(), role };
        if role == Role::Main {
            poller.fresh.follow();
        }
        let back =
            window_event_listener(leptos::ev::Custom::<web_sys::Event>::new("visibilitychange"), move |_| {
                if !document().hidden() {
                    poller.refresh();
                }
            });
        let online = window_event_listener(leptos::ev::online, move |_| poller.refresh());
        on_cleanup(move || {
            back.remove();
            online.remove();
            if role == Role::Main {
                poller.fresh.unfollow();
            }
        });
        poller.refresh();
        poller
    }

    /// Asks now.
    pub(crate) fn refresh(self) {
        let begin = self.inner.try_update_value(|state| {
            if let Some(timer) = state.timer.take() {
                timer.clear();
            }
            if state.is_loading {
                state.again = true;
                return None;
            }
            state.is_loading = true;
            Some((state.load)())
        });
        if let Some(load) = begin.flatten() {
            if self.role == Role::Main {
                self.fresh.asked_ms.set(Some(browser_now()));
            }
            spawn_local(async move { self.finish(load.await) });
        }
    }

    fn finish(self, answer: Result<Answer, Failure>) {
        // Whoever left the page does not care any more.
        let Some((again, failures)) = self.inner.try_update_value(|state| {
            state.is_loading = false;
            state.failures = if answer.is_ok() { 0 } else { state.failures.saturating_add(1) };
            (std::mem::take(&mut state.again), state.failures)
        }) else {
            return;
        };
        if self.role == Role::Main {
            self.fresh.asked_ms.set(None);
        }
        if again {
            return self.refresh();
        }
        let is_slow = self.role == Role::Slow || document().hidden();
        let wait = pace::wait_ms(is_slow, failures, js_sys::Math::random());
        if self.role == Role::Main {
            match &answer {
                Ok(answer) => self.fresh.heard(answer),
                Err(failure) => {
                    self.fresh.was_refused.set(failure.status() != 0);
                    self.fresh.retry_ms.set(Some(browser_now() + wait));
                }
            }
        }
        let timer = set_timeout_with_handle(move || self.refresh(), Duration::from_secs_f64(wait / 1_000.0));
        self.inner.try_update_value(|state| state.timer = timer.ok());
    }
}

/// What a path answers, kept up to date.
pub(crate) struct Live<T: 'static> {
    pub(crate) data: RwSignal<Option<Arc<T>>>,
    /// Why the last poll brought nothing.
    pub(crate) failure: RwSignal<Option<Failure>>,
    etag: StoredValue<Option<String>>,
    poller: Poller,
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Live<T> {}

impl<T: DeserializeOwned + Send + Sync + 'static> Live<T> {
    /// Keeps what `path` answers. When the path changes, what was there goes at once.
    pub(crate) fn follow(role: Role, path: Signal<String>) -> Self {
        let client = client();
        let data = RwSignal::new(None);
        let failure = RwSignal::new(None);
        let etag = StoredValue::new(None::<String>);
        let poller = Poller::start(role, move || async move {
            let asked = path.try_get_untracked().unwrap_or_default();
            let known = etag.try_get_value().flatten();
            let answer = client.get(&asked, known.as_deref()).await;
            if path.try_get_untracked().as_ref() != Some(&asked) {
                return answer;
            }
            let taken = answer.and_then(|answer| {
                if !answer.is_unchanged() {
                    data.set(Some(Arc::new(answer.json()?)));
                    etag.set_value(answer.etag.clone());
                }
                Ok(answer)
            });
            failure.set(taken.as_ref().err().cloned());
            taken
        });
        let live = Self { data, failure, etag, poller };
        Effect::new(move |before: Option<String>| {
            let now = path.get();
            if before.is_some_and(|before| before != now) {
                data.set(None);
                failure.set(None);
                etag.set_value(None);
                poller.refresh();
            }
            now
        });
        live
    }

    /// Asks now.
    pub(crate) fn refresh(self) {
        self.poller.refresh();
    }

    /// What a change of what is shown must name as `If-Match`.
    pub(crate) fn etag(self) -> String {
        self.etag.try_get_value().flatten().unwrap_or_default()
    }
}
