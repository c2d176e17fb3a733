//! The functions' processes, found by what they have in their environment.

use std::fs;
use std::process::Command;

use crate::error::Error;

/// The processes of a role of the function that use this endpoint.
pub(crate) fn of_role(endpoint: &str, role: &str) -> Result<Vec<u32>, Error> {
    let wanted = [format!("AWS_ENDPOINT_URL={endpoint}"), format!("HLSOPS_ROLE={role}")];
    let all = fs::read_dir("/proc").map_err(Error::system("look at the processes"))?;
    let pids = all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    Ok(pids.filter(|pid| has(*pid, &wanted)).collect())
}

/// A process that has ended meanwhile has nothing.
fn has(pid: u32, wanted: &[String]) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let variables: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
    wanted.iter().all(|variable| variables.contains(&variable.as_bytes()))
}

/// `kill -9`.
pub(crate) fn kill(pid: u32) -> Result<(), Error> {
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
    let killed = killed.map_err(Error::system("kill a process"))?;
    if killed.success() { Ok(()) } else { Err(Error::Wrong(format!("process {pid} was not killed"))) }
}
