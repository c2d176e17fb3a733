//! What the public API sends and takes, version 1. Its server, its command line and the dashboard share it.
//!
//! - Times are RFC 3339 in UTC with milliseconds and `Z`; their names end in `_at`. Other numbers carry their
//!   unit in the name.
//! - An answer only ever gains optional fields. Whoever reads one ignores what he does not know.
//! - A request with a field that is not here is refused.

mod channel;
mod delivery;
mod finding;
mod incident;
mod key;
mod metrics;
mod naming;
mod page;
mod problem;
mod status;
mod stream;
mod timeline;
mod wall;

pub use channel::{Channel, ChannelCreate, ChannelFormat, ChannelPatch, ChannelWithSecret};
pub use delivery::{Delivery, Event, EventData, EventLinks, EventReason, EventStream, InboxEntry};
pub use finding::{Finding, Severity};
pub use incident::{Acknowledge, Incident, IncidentDetail, IncidentStatus, IncidentTaken, RenditionLoss};
pub use key::{Key, KeyCreate, KeyCreated, Scope};
pub use metrics::{MetricsPoint, MetricsSeries, StateSpan};
pub use naming::usual_name;
pub use page::List;
pub use problem::{Problem, ProblemItem};
pub use status::{ServiceHealth, ServiceStatus, Threshold};
pub use stream::{
    Header, HealthNow, Reason, Rendition, RenditionKind, Segments, Stream, StreamCreate, StreamDetail,
    StreamPatch, Validation, ValidationVariant, Watch, WatchMode,
};
pub use timeline::{Timeline, TimelineEntry, TimelineKind};
pub use wall::{State, Wall, WallCounts, WallTile};
