//! Streams that could be taken for one another.
//!
//! Judged by the streams as they are known here: of two that are added at the same moment both may get through.

use hlsops_store::StreamConfig;
use hlsops_wire::ProblemItem;
use url::Url;

use crate::app::Api;
use crate::problem::{Answer, ApiError, item};
use crate::view::stream::link_id;
use crate::wall::Snapshot;

/// Refuses a link id that is another stream's: it stands for one stream, in commands, messages and imports. A name
/// that is another stream's link id would find that one, so neither is it free, nor the other way round.
pub(super) async fn own_names(api: &Api, config: &StreamConfig) -> Answer<()> {
    let wall = api.wall(config.id.account()).await?;
    for known in others(&wall, config).filter(|other| clash(config, other).is_some()) {
        // What is known here may be some seconds old.
        let now = api.store().stream(&known.id).await?.value;
        if let Some(item) = now.and_then(|other| clash(config, &other)) {
            return Err(ApiError::invalid(vec![item]));
        }
    }
    Ok(())
}

/// What of `config` stands for `other`.
fn clash(config: &StreamConfig, other: &StreamConfig) -> Option<ProblemItem> {
    let (link, theirs) = (link_id(config), link_id(other));
    let (pointer, taken, what) = match () {
        () if link == theirs => ("/link_id", link, "link id"),
        () if link == other.name => ("/link_id", link, "name"),
        () if config.name == theirs => ("/name", theirs, "link id"),
        () => return None,
    };
    let way_out = if pointer == "/link_id" { ", or leave it out" } else { "" };
    let (name, id) = (&other.name, other.id.name());
    let detail =
        format!("`{taken}` is the {what} of the stream `{name}` ({id}) already: choose another{way_out}");
    Some(item(pointer, "taken", detail))
}

/// Says which other streams have the same name or URL, which is allowed.
pub(super) async fn doubles(api: &Api, config: &StreamConfig) -> Answer<Vec<String>> {
    let wall = api.wall(config.id.account()).await?;
    let named = others(&wall, config).find(|other| other.name == config.name).map(|other| {
        format!(
            "Another stream is called `{}` too ({}): give one of them another name, or tell them apart by their ids",
            config.name,
            other.id.name()
        )
    });
    let url = Url::parse(&config.url).ok();
    let is_same = |other: &&StreamConfig| {
        other.url == config.url || url.is_some() && Url::parse(&other.url).ok() == url
    };
    let same: Vec<&StreamConfig> = others(&wall, config).filter(is_same).collect();
    Ok(named.into_iter().chain(sharing(&same)).collect())
}

/// Other streams that are told by name.
const TOLD: usize = 3;

/// That these have the same URL. It may be meant, with other headers or thresholds.
fn sharing(streams: &[&StreamConfig]) -> Option<String> {
    let named = |stream: &&StreamConfig| format!("`{}` ({})", stream.name, stream.id.name());
    let told = streams.iter().take(TOLD).map(named).collect::<Vec<_>>().join(", ");
    match streams.len() {
        0 => None,
        1 => Some(format!("The stream {told} has the same URL")),
        2..=TOLD => Some(format!("The streams {told} have the same URL")),
        all => Some(format!("The streams {told} and {} more have the same URL", all - TOLD)),
    }
}

fn others<'a>(wall: &'a Snapshot, config: &'a StreamConfig) -> impl Iterator<Item = &'a StreamConfig> {
    wall.configs.iter().filter(|other| other.id != config.id)
}
