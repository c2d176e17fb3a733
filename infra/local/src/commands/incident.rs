//! `hlsops incidents` and `hlsops incident`: what is wrong now and was before.

use clap::{Args, Subcommand};
use hlsops_wire::{Acknowledge, Incident, IncidentStatus, List};
use http::Method;

use super::table::lay_out;
use super::{Done, Place, moment, stream};
use crate::client::{Ask, CallError};
use crate::exit::Exit;
use crate::terminal::{age, plain};

/// Options of `hlsops incidents`.
#[derive(Args, Debug)]
pub(crate) struct IncidentsOptions {
    /// Only those that go on
    #[arg(long)]
    open: bool,
    /// Only those of one stream: its id, name or link id
    #[arg(long)]
    stream: Option<String>,
    /// How many, the newest first, from 1 to 500
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    #[command(flatten)]
    place: Place,
}

/// What to do with incidents.
#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// Say that somebody has taken an incident
    Ack(AcknowledgeOptions),
}

/// Options of `hlsops incident ack`.
#[derive(Args, Debug)]
pub(crate) struct AcknowledgeOptions {
    /// As `hlsops incidents` shows it
    incident: String,
    /// Who takes it [default: the name of the key]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn list(options: IncidentsOptions) -> Done {
    let api = options.place.api().await?;
    let mut ask = Ask::api(Method::GET, &["incidents"]).query("limit", &options.limit.to_string());
    if options.open {
        ask = ask.query("status", "open").query("status", "acknowledged");
    }
    if let Some(named) = &options.stream {
        ask = ask.query("stream", &stream::find(&api, named).await?);
    }
    let incidents: List<Incident> = api.ask(ask).await?;
    options.place.print(&incidents.items, |incidents| {
        if incidents.is_empty() {
            return "no incidents\n".to_owned();
        }
        let row = |incident: &Incident| {
            vec![
                status(incident.status).to_owned(),
                moment(&incident.opened_at),
                age(std::time::Duration::from_secs(incident.duration_s)),
                incident.stream_name.clone(),
                incident.id.clone(),
                incident.title.clone(),
            ]
        };
        let rows: Vec<_> = incidents.iter().map(row).collect();
        lay_out(&["STATUS", "OPENED", "LASTED", "STREAM", "ID", "WHAT"], &rows)
    })?;
    Ok(Exit::Clean)
}

pub(super) async fn run(command: IncidentCommand) -> Done {
    let IncidentCommand::Ack(options) = command;
    let api = options.place.api().await?;
    let path = ["incidents", options.incident.as_str(), "acknowledge"];
    let body = Acknowledge { by: options.by };
    let incident: Incident =
        api.ask(Ask::api(Method::POST, &path).body(&body)).await.map_err(|error| match error {
            CallError::Refused(problem) if problem.status == 404 => CallError::Unclear(format!(
                "there is no incident `{}`: `hlsops incidents` shows them",
                plain(&options.incident, 120)
            )),
            other => other,
        })?;
    options.place.print(&incident, |incident| {
        let by =
            incident.acknowledged_by.as_deref().map_or(String::new(), |by| format!(" by {}", plain(by, 80)));
        format!("acknowledged{by}: {}\n", plain(&incident.title, 200))
    })?;
    Ok(Exit::Clean)
}

const fn status(status: IncidentStatus) -> &'static str {
    match status {
        IncidentStatus::Open => "OPEN",
        IncidentStatus::Acknowledged => "ACKNOWLEDGED",
        IncidentStatus::Resolved => "RESOLVED",
    }
}
