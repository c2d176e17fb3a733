//! Which of the renditions listed now are the ones listed before.

use super::spec::RenditionSpec;
use super::state::{PlaylistState, Rendition};

/// `specs`, a fresh listing, with the ids they are known by.
///
/// Some servers put a new session into the path of every media playlist each time the multivariant one is
/// loaded. A rendition that is not known and resembles one that is no longer listed is that one; otherwise
/// such a stream would begin anew twice a minute and never be seen to stall. It keeps its URL for as long as
/// that one works: another session may name the same segments differently.
pub(crate) fn recognise(known: &[&Rendition], mut specs: Vec<RenditionSpec>) -> Vec<RenditionSpec> {
    let is_listed = |rendition: &&&Rendition| specs.iter().any(|spec| spec.id == rendition.spec.id);
    let mut gone: Vec<&Rendition> = known.iter().filter(|r| !is_listed(r)).copied().collect();
    for spec in &mut specs {
        if known.iter().any(|rendition| rendition.spec.id == spec.id) {
            continue;
        }
        let Some(index) = gone.iter().position(|rendition| rendition.spec.resembles(spec)) else { continue };
        let before = gone.remove(index);
        spec.id = before.spec.id;
        if works(before) {
            spec.url.clone_from(&before.spec.url);
        }
    }
    specs
}

fn works(rendition: &Rendition) -> bool {
    let delivers = matches!(rendition.playlist, PlaylistState::Unknown | PlaylistState::Live);
    delivers && rendition.failed_loads == 0
}
