use super::*;
use hlsops_domain::playlist::{self, Parsed};

const ID: RenditionId = RenditionId(1);
const NOW: EpochMs = EpochMs(1_000_000);

fn base() -> Url {
    Url::parse("http://host/a/index.m3u8").unwrap()
}

fn text(first: u64, count: u64) -> String {
    let head = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
    (first..first + count).fold(head, |text, n| format!("{text}#EXTINF:2,\nseg-{n}.ts\n"))
}

/// A plan whose only rendition has just loaded `text` and is to fetch its newest `fetch` segments.
fn load(plan: &mut Plan, now: EpochMs, text: &str, fetch: usize) -> Vec<Dropped> {
    let Parsed::Media(list) = playlist::read(text) else { panic!("not a media playlist: {text}") };
    let count = list.segments.len();
    let follow = Follow {
        reload_at: now + Duration::from_secs(2),
        fetch: count - fetch..count,
        again: Vec::new(),
        fresh_connection: false,
        resolve_master: false,
    };
    plan.playlist_loaded(now, ID, &follow, Some((&list, &base())))
}

fn single() -> Plan {
    let mut plan = Plan::new(NOW, Cadence::default());
    assert!(matches!(plan.due(NOW)[..], [Action::Master { .. }]));
    plan.single_loaded(NOW, ID, base());
    plan
}

fn segments(actions: Vec<Action>) -> Vec<Job> {
    let jobs = actions.into_iter().filter_map(|action| match action {
        Action::Segment { job, .. } => Some(job),
        _ => None,
    });
    jobs.collect()
}

#[test]
fn one_segment_at_a_time_oldest_first() {
    let mut plan = single();
    assert_eq!(load(&mut plan, NOW, &text(10, 6), 3), []);
    let first = segments(plan.due(NOW));
    assert_eq!(first.iter().map(|j| j.sequence).collect::<Vec<_>>(), [13]);
    assert_eq!(first[0].url.as_str(), "http://host/a/seg-13.ts");
    assert_eq!(segments(plan.due(NOW)), [], "one is under way");
    assert!(plan.segment_ended(NOW, ID, &first[0], Ok(())));
    assert_eq!(segments(plan.due(NOW))[0].sequence, 14);
}

#[test]
fn a_retry_waits_without_holding_up_the_next() {
    let mut plan = single();
    load(&mut plan, NOW, &text(10, 6), 2);
    let job = segments(plan.due(NOW)).remove(0);
    assert!(!plan.segment_ended(NOW, ID, &job, Err(Failure::Http(404))), "another attempt follows");
    let next = segments(plan.due(NOW)).remove(0);
    assert_eq!((job.sequence, next.sequence), (14, 15));
    assert!(plan.segment_ended(NOW, ID, &next, Ok(())));
    assert_eq!(segments(plan.due(NOW + Duration::from_millis(999))), []);
    let again = segments(plan.due(NOW + Duration::from_secs(1))).remove(0);
    assert_eq!((again.sequence, again.attempt, again.earlier), (14, 2, Some(Failure::Http(404))));
    assert!(plan.segment_ended(NOW, ID, &again, Err(Failure::Http(404))), "there is no third attempt");
}

#[test]
fn a_due_retry_runs_beside_a_segment_that_hangs_and_so_does_the_next_beside_it() {
    let mut plan = single();
    load(&mut plan, NOW, &text(10, 6), 3);
    let job = segments(plan.due(NOW)).remove(0);
    plan.segment_ended(NOW, ID, &job, Err(Failure::Http(404)));
    let hanging = segments(plan.due(NOW)).remove(0);
    let at = NOW + Duration::from_secs(1);
    assert_eq!(plan.wake_at(), Some(at));
    let retry = segments(plan.due(at)).remove(0);
    assert_eq!((hanging.sequence, retry.sequence, retry.attempt), (14, 13, 2));
    assert_eq!(segments(plan.due(at)), [], "no more than one of each");
    plan.segment_ended(at, ID, &hanging, Err(Failure::Timeout));
    let later = at + Duration::from_secs(60);
    let next = segments(plan.due(later)).iter().map(|job| job.sequence).collect::<Vec<_>>();
    assert_eq!(next, [15], "one retry waits for the other");
    assert!(plan.segment_ended(later, ID, &retry, Ok(())));
    assert_eq!(segments(plan.due(later))[0].sequence, 14);
}

#[test]
fn what_left_the_list_is_given_up() {
    let mut plan = single();
    load(&mut plan, NOW, &text(10, 6), 6);
    let later = NOW + Duration::from_secs(2);
    let dropped = load(&mut plan, later, &text(14, 6), 4);
    let gone: Vec<_> = dropped.iter().map(|d| (d.job.sequence, d.failure)).collect();
    assert_eq!(gone, [10, 11, 12, 13].map(|n| (n, Failure::Expired)));
}

#[test]
fn a_retry_that_never_had_its_turn_is_no_second_failure() {
    let mut plan = single();
    load(&mut plan, NOW, &text(10, 3), 1);
    let job = segments(plan.due(NOW)).remove(0);
    plan.segment_ended(NOW, ID, &job, Err(Failure::Http(404)));
    let dropped = load(&mut plan, NOW, &text(13, 3), 0).remove(0);
    assert_eq!((dropped.failure, dropped.job.attempt), (Failure::Http(404), 1));
    assert_eq!(dropped.job.earlier, None);
}

#[test]
fn a_new_numbering_forgets_the_old_one() {
    let mut plan = single();
    load(&mut plan, NOW, &text(1_000, 6), 6);
    assert_eq!(load(&mut plan, NOW + Duration::from_secs(2), &text(0, 6), 3), []);
    assert_eq!(segments(plan.due(NOW + Duration::from_secs(2)))[0].sequence, 3);
}

#[test]
fn what_waits_is_bounded() {
    let mut plan = single();
    let dropped = load(&mut plan, NOW, &text(0, 500), 500);
    assert_eq!(dropped.len(), 500 - Plan::MAX_JOBS);
}

#[test]
fn a_rendition_that_is_gone_is_followed_no_more() {
    let mut plan = single();
    load(&mut plan, NOW, &text(10, 6), 3);
    let job = segments(plan.due(NOW)).remove(0);
    plan.master_loaded(NOW, &[]);
    assert!(plan.segment_ended(NOW, ID, &job, Err(Failure::Timeout)), "nobody will try again");
    assert_eq!(segments(plan.due(NOW + Duration::from_secs(60))), []);
}
