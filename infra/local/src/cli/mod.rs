//! The command line.

pub(crate) mod parse;
pub(crate) mod suggest;

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use hlsops_fetch::{AllowList, HeaderHosts, Session, SessionError};
use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::commands::{
    BackupOptions, ImportOptions, IncidentCommand, IncidentsOptions, KeyCommand, RestoreOptions,
    StreamCommand, ThresholdsOptions, TimelineOptions,
};
use crate::data::DataFolder;
use crate::demo::DemoOptions;
use crate::exit;
use crate::serve::ServeOptions;

/// Watches HLS streams: is it healthy now, what exactly went wrong, does it recur?
#[derive(Debug, Parser)]
#[command(name = "hlsops", version, after_help = exit::CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) folder: DataFolder,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look at one stream for a while and say what is wrong with it
    ///
    /// Ctrl-C or SIGTERM ends it early, with the verdict so far.
    ///
    /// Exit code: 0 clean, 1 findings, 2 unreachable, 64 wrong usage, 70 internal error.
    Check(CheckOptions),
    /// Show nine streams, healthy and faulty, made and watched on this machine
    Demo(DemoOptions),
    /// Watch streams and answer at an address, until Ctrl-C or SIGTERM
    Serve(ServeOptions),
    /// Add, list, show, pause, resume and remove streams
    #[command(subcommand)]
    Stream(StreamCommand),
    /// List incidents, the newest first
    Incidents(IncidentsOptions),
    /// Acknowledge an incident, or give it back
    #[command(subcommand)]
    Incident(IncidentCommand),
    /// Show what happened to a stream
    Timeline(TimelineOptions),
    /// List the thresholds of health: what they decide, and their values in each profile
    Thresholds(ThresholdsOptions),
    /// Make, list and revoke API keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Write a consistent copy of the data, also while `hlsops serve` runs
    Backup(BackupOptions),
    /// Make a folder from a backup
    #[command(override_usage = "hlsops restore --data <DIR> <FILE>")]
    Restore(RestoreOptions),
    /// Add the streams of a `streams.json`
    Import(ImportOptions),
}

/// Options of `hlsops check`.
#[derive(Args, Debug)]
pub(crate) struct CheckOptions {
    /// URL of a multivariant or media playlist
    #[arg(value_parser = parse::url)]
    pub(crate) url: Url,
    /// Print the verdict as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to watch: `30s`, `2m`, `1h`
    #[arg(long = "for", value_name = "TIME", default_value = "30s", value_parser = parse::time)]
    pub(crate) length: Duration,
    /// Allow a target that is not publicly routable: exactly HOST:PORT; may be repeated. The host of URL is
    /// allowed anyway
    #[arg(
        long = "allow-target",
        value_name = "HOST:PORT",
        env = "HLSOPS_ALLOW_TARGETS",
        value_delimiter = ','
    )]
    pub(crate) allow_targets: Vec<String>,
    /// Send a header with every request to the host of URL, and to no other; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = parse::header)]
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl CheckOptions {
    /// The headers and cookies to watch with.
    pub(crate) fn session(&self) -> Result<Session, SessionError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
        Session::with_headers(headers, HeaderHosts::of(&self.url))
    }

    /// The exceptions from the address guard: those listed, and the target typed on the command line.
    pub(crate) fn allow_list(&self) -> Result<AllowList, hlsops_fetch::HostListError> {
        let mut allow = AllowList::parse(&self.allow_targets.join(","))?;
        if let (Some(host), Some(port)) = (self.url.host_str(), self.url.port_or_known_default()) {
            allow.insert(host, port)?;
        }
        Ok(allow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_folder_may_stand_anywhere() {
        for line in [
            "hlsops --data x stream list",
            "hlsops stream --data x list",
            "hlsops stream list --data x",
            "hlsops --data y stream list --data x",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.folder.named(), Some("x".into()), "{line}");
            let Command::Stream(StreamCommand::List(options)) = cli.command else { panic!("{line}") };
            assert_eq!(options.place.folder.named(), Some("x".into()), "{line}");
        }
        let cli = Cli::try_parse_from(["hlsops", "--data", "x", "restore", "file"]).unwrap();
        let Command::Restore(options) = cli.command else { panic!("restore") };
        assert_eq!(options.folder().named(), Some("x".into()));
    }
}
