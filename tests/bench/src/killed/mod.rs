//! `hlsops serve`, killed at random moments under faults, and what its table says afterwards.
//!
//! A life is a process from its start to `SIGKILL`. Meanwhile the origin's faults come and go, streams are added
//! and incidents acknowledged through the API. At the end the table is opened directly and held against what was
//! answered and against the origin's ledger.

mod life;
mod random;
mod verify;
mod writes;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hlsops_origin::{Fault, FaultKind, Layout, Origin, OriginConfig, SegmentLength, StreamSpec};
use tokio::time::sleep;

pub use verify::{Verdict, examine};

use crate::BenchError;
use life::Life;
use random::Random;
use writes::Writes;

/// How to kill.
#[derive(Clone, Debug)]
pub struct Killing {
    /// The `hlsops` program.
    pub program: PathBuf,
    /// How often.
    pub kills: u32,
    /// What chance begins with: the same number, the same moments.
    pub seed: u64,
    /// Shortest and longest life. Unit: milliseconds.
    pub life_ms: (u64, u64),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the table says.
    pub verdict: Verdict,
    /// From each start of a process to its first request at the origin, ascending.
    pub first_polls: Vec<Duration>,
    /// What the last process did at SIGTERM.
    pub ended_well: bool,
}

/// Streams that are watched: enough to have something under way at any moment.
const STREAMS: usize = 5;
/// Between two changes of the origin's faults. Unit: milliseconds.
const FAULTS_MS: (u64, u64) = (3_000, 9_000);
/// How long the last process runs without faults before it is ended in good order.
const CALM: Duration = Duration::from_secs(12);

/// Kills, restarts, and looks.
///
/// # Errors
/// If something could not be run. What is found is in the [`Outcome`].
pub async fn run(killing: &Killing) -> Result<Outcome, BenchError> {
    let origin = Origin::start(OriginConfig::default()).await?;
    let names = add_streams(&origin)?;
    let folder = Folder::make()?;
    let target = origin.addresses().first().map(ToString::to_string).unwrap_or_default();
    let mut random = Random::new(killing.seed);
    let mut first_polls = Vec::new();
    let mut writes = Writes::default();
    let mut life = Life::start(&killing.program, &folder.0, &target).await?;
    let ids = writes.add_watched(&life, &names, &origin).await?;
    let mut calm_at = 0;
    for _ in 0..killing.kills {
        let ends_at = origin.now_ms() + random.between(killing.life_ms);
        while origin.now_ms() < ends_at {
            if origin.now_ms() >= calm_at {
                change_faults(&origin, &names, &mut random)?;
                calm_at = origin.now_ms() + random.between(FAULTS_MS);
            }
            writes.some(&life).await;
            sleep(Duration::from_millis(random.between((5, 60)))).await;
        }
        life.kill().await?;
        if random.between((0, 3)) == 0 {
            sleep(Duration::from_millis(random.between((100, 3_000)))).await;
        }
        let began = origin.now_ms();
        life = Life::start(&killing.program, &folder.0, &target).await?;
        first_polls.extend(first_poll(&origin, &names, began).await);
    }
    for name in &names {
        origin.clear_faults(name)?;
    }
    sleep(CALM).await;
    let ended_well = life.end().await?;
    let verdict = verify::verify(&folder.0, &ids, &writes, &origin).await?;
    first_polls.sort_unstable();
    Ok(Outcome { verdict, first_polls, ended_well })
}

fn add_streams(origin: &Origin) -> Result<Vec<String>, BenchError> {
    let mut names = Vec::new();
    for number in 0..STREAMS {
        let layout = if number == 0 { Layout::Master } else { Layout::Media };
        let name = format!("stream-{number}");
        origin.add_stream(&name, StreamSpec { layout, segment: SegmentLength::S2, ..StreamSpec::DEFAULT })?;
        names.push(name);
    }
    Ok(names)
}

/// One stream gets a fault, or is healed.
fn change_faults(origin: &Origin, names: &[String], random: &mut Random) -> Result<(), BenchError> {
    const KINDS: [FaultKind; 4] = [
        FaultKind::PlaylistStatus(503),
        FaultKind::SegmentStatus(404),
        FaultKind::PlaylistStall,
        FaultKind::SegmentSlow { speed_ratio: 0.5 },
    ];
    let Some(name) = names.get(random.below(names.len())) else { return Ok(()) };
    if !origin.faults(name).is_empty() {
        return Ok(origin.clear_faults(name)?);
    }
    let kind = KINDS.get(random.below(KINDS.len())).copied().unwrap_or(FaultKind::PlaylistStall);
    origin.set_fault(name, Fault::new(kind))?;
    Ok(())
}

/// From the start of a process to its first request at the origin.
async fn first_poll(origin: &Origin, names: &[String], began_ms: u64) -> Option<Duration> {
    const LOOKS: u32 = 500;
    for _ in 0..LOOKS {
        let served = names.iter().flat_map(|name| origin.ledger_since(name, began_ms));
        if let Some(first) = served.map(|entry| entry.at_ms).min() {
            return Some(Duration::from_millis(first - began_ms));
        }
        sleep(Duration::from_millis(10)).await;
    }
    None
}

/// A new folder, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, BenchError> {
        let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let name = format!("hlsops-killed-{}-{}", std::process::id(), time.as_nanos());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).map_err(BenchError::io("cannot make a folder"))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is in the folder for what may go.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The folder's file that says where the server answers.
fn endpoint_file(folder: &Path) -> PathBuf {
    folder.join("serve.json")
}
