//! What this process has used, from `/proc`.

use std::fs;
use std::time::Duration;

use crate::BenchError;

/// CPU time of all threads alive, user and system, in nanoseconds as the scheduler counts it. `/proc/self/stat`
/// says the same in steps of 10 ms, which is as much as ten watched streams use in ten seconds. Threads that have
/// ended are not counted: take it in programs whose threads live as long as they do.
///
/// # Errors
/// On systems without `/proc/self/task/*/schedstat`.
pub fn cpu_time() -> Result<Duration, BenchError> {
    const FILE: &str = "/proc/self/task/*/schedstat";
    let missing = || BenchError::Proc { file: FILE };
    let mut sum = 0_u64;
    for task in fs::read_dir("/proc/self/task").map_err(|_| missing())? {
        let path = task.map_err(|_| missing())?.path().join("schedstat");
        // A thread that ends while we look has no file any more.
        let Ok(text) = fs::read_to_string(path) else { continue };
        let on_cpu = text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        sum += on_cpu.ok_or_else(missing)?;
    }
    if sum == 0 { Err(missing()) } else { Ok(Duration::from_nanos(sum)) }
}

/// The most memory this process has had resident: `VmHWM`, in bytes.
///
/// # Errors
/// On systems without it.
pub fn peak_memory_bytes() -> Result<u64, BenchError> {
    status_bytes("VmHWM:")
}

/// How much a stretch of the program adds to its memory.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    before: u64,
}

impl Growth {
    /// Begins: the peak so far is forgotten.
    ///
    /// # Errors
    /// On systems without `/proc/self/clear_refs`.
    pub fn start() -> Result<Self, BenchError> {
        const FILE: &str = "/proc/self/clear_refs";
        // 5 resets the peak (proc_pid_clear_refs(5)).
        fs::write(FILE, "5").map_err(|_| BenchError::Proc { file: FILE })?;
        Ok(Self { before: status_bytes("VmRSS:")? })
    }

    /// The peak since then, above what there was.
    ///
    /// # Errors
    /// As [`peak_memory_bytes`].
    pub fn peak_bytes(self) -> Result<u64, BenchError> {
        Ok(peak_memory_bytes()?.saturating_sub(self.before))
    }
}

fn status_bytes(field: &str) -> Result<u64, BenchError> {
    const FILE: &str = "/proc/self/status";
    let missing = || BenchError::Proc { file: FILE };
    let text = fs::read_to_string(FILE).map_err(|_| missing())?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)).ok_or_else(missing)?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().map_err(|_| missing())?;
    Ok(kib * 1_024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let before = cpu_time().unwrap();
        let busy: u64 = (0..20_000_000_u64).fold(0, |sum, n| std::hint::black_box(sum ^ n));
        assert!(busy < u64::MAX && cpu_time().unwrap() > before);
        assert!(peak_memory_bytes().unwrap() > 1 << 20);
    }
}
