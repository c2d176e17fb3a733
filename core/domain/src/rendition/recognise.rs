//! Which of the renditions listed now are the ones listed before.

use super::spec::RenditionSpec;
use super::state::{PlaylistState, Rendition};
use crate::closing::RenditionClosing;
use crate::id::RenditionId;

/// `specs`, a fresh listing, with the ids they are known by to this watcher or, in `waiting`, were to the one before.
///
/// Some servers put a new session into the path of every media playlist each time the multivariant one is
/// loaded. A rendition that is not known and has the attributes of one that is no longer listed is that one;
/// otherwise such a stream would begin anew twice a minute and never be seen to stall. It keeps its URL for as long
/// as that one works: another session may name the same segments differently.
pub(crate) fn recognise<'a>(
    known: &[&Rendition],
    waiting: impl Iterator<Item = &'a RenditionClosing> + Clone,
    mut specs: Vec<RenditionSpec>,
) -> Vec<RenditionSpec> {
    let is_listed = |id| specs.iter().any(|spec| spec.id == id);
    let gone = known.iter().filter(|rendition| !is_listed(rendition.spec.id));
    let gone = gone.map(|rendition| (rendition.spec.id, rendition.spec.attributes(), Some(*rendition)));
    let left = waiting.clone().filter(|closing| !is_listed(closing.id));
    let mut gone: Vec<_> = gone.chain(left.map(|closing| (closing.id, closing.attributes, None))).collect();
    let is_known = |id: RenditionId| {
        known.iter().any(|rendition| rendition.spec.id == id)
            || waiting.clone().any(|closing| closing.id == id)
    };
    for spec in &mut specs {
        if gone.is_empty() || is_known(spec.id) {
            continue;
        }
        let attributes = spec.attributes();
        let Some(index) = gone.iter().position(|(_, of_gone, _)| *of_gone == attributes) else { continue };
        let (id, _, rendition) = gone.remove(index);
        (spec.id, spec.renamed) = (id, true);
        if let Some(rendition) = rendition.filter(|rendition| works(rendition)) {
            spec.url.clone_from(&rendition.spec.url);
        }
    }
    specs
}

fn works(rendition: &Rendition) -> bool {
    let delivers = matches!(rendition.playlist, PlaylistState::Unknown | PlaylistState::Live);
    delivers && rendition.failed_loads == 0
}
