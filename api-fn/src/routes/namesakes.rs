//! Streams that could be taken for one another.
//!
//! Judged by the streams as they are known here: of two that are added at the same moment both may get through.

use hlsops_store::StreamConfig;

use crate::app::Api;
use crate::problem::{Answer, ApiError, item};
use crate::view::stream::link_id;
use crate::wall::Snapshot;

/// Refuses a link id that is another stream's: it stands for one stream, in commands, messages and imports.
pub(super) async fn own_link(api: &Api, config: &StreamConfig) -> Answer<()> {
    let link = link_id(config);
    let wall = api.wall(config.id.account()).await?;
    for known in others(&wall, config).filter(|other| link_id(other) == link) {
        // What is known here may be some seconds old.
        let now = api.store().stream(&known.id).await?.value;
        let Some(other) = now.filter(|other| link_id(other) == link) else { continue };
        let detail = format!(
            "`{link}` is the link id of the stream `{}` ({}) already: choose another, or leave it out",
            other.name,
            other.id.name()
        );
        return Err(ApiError::invalid(vec![item("/link_id", "taken", detail)]));
    }
    Ok(())
}

/// Says that another stream has the same name, which is allowed.
pub(super) async fn namesake(api: &Api, config: &StreamConfig) -> Answer<Option<String>> {
    let wall = api.wall(config.id.account()).await?;
    let other = others(&wall, config).find(|other| other.name == config.name);
    Ok(other.map(|other| {
        format!(
            "another stream is called `{}` too ({}): give one of them another name, or tell them apart by their ids",
            config.name,
            other.id.name()
        )
    }))
}

fn others<'a>(wall: &'a Snapshot, config: &'a StreamConfig) -> impl Iterator<Item = &'a StreamConfig> {
    wall.configs.iter().filter(|other| other.id != config.id)
}
