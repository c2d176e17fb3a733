//! `hlsops incidents` and `hlsops incident`: what is wrong now and was before.

use clap::{Args, Subcommand};
use hlsops_wire::{Acknowledge, Incident, IncidentStatus, IncidentTaken, List};
use http::Method;

use super::table::lay_out;
use super::{Done, Place, moment, stream};
use crate::client::{Api, Ask, CallError, Words};
use crate::exit::Exit;
use crate::terminal::{age, plain};

/// Options of `hlsops incidents`.
#[derive(Args, Debug)]
pub(crate) struct IncidentsOptions {
    /// Only those that go on: OPEN ones, and ACKNOWLEDGED ones, which somebody has taken
    #[arg(long)]
    open: bool,
    /// Only those of one stream: its id, name or link id
    #[arg(long, value_name = "STREAM")]
    stream: Option<String>,
    /// How many, the newest first, from 1 to 500
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    #[command(flatten)]
    place: Place,
}

/// What to do with incidents.
#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// Say that somebody has taken an incident; the channels are told. The first one to take it stands
    Ack(AcknowledgeOptions),
    /// Give an incident back: nobody looks after it any more. The channels are not told
    Unack(UnacknowledgeOptions),
}

/// Options of `hlsops incident ack`.
#[derive(Args, Debug)]
pub(crate) struct AcknowledgeOptions {
    /// As `hlsops incidents` shows it
    incident: String,
    /// Who takes it [default: the user of this system, from USER or LOGNAME; else the name of the key]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// Options of `hlsops incident unack`.
#[derive(Args, Debug)]
pub(crate) struct UnacknowledgeOptions {
    /// As `hlsops incidents` shows it
    incident: String,
    #[command(flatten)]
    place: Place,
}

pub(super) const WORDS: Words = &[("/by", "--by"), ("?limit", "--limit"), ("?stream", "--stream")];

pub(super) async fn list(options: IncidentsOptions) -> Done {
    let api = options.place.reader().await?;
    let mut ask = Ask::api(Method::GET, &["incidents"]).query("limit", &options.limit.to_string());
    if options.open {
        ask = ask.query("status", "open").query("status", "acknowledged");
    }
    if let Some(named) = &options.stream {
        ask = ask.query("stream", &stream::find(&api, named).await?.id);
    }
    let incidents: List<Incident> = api.ask(ask).await?;
    options.place.print(&incidents.items, |incidents| {
        if incidents.is_empty() {
            return if options.open { "no open incidents\n" } else { "no incidents\n" }.to_owned();
        }
        let row = |incident: &Incident| {
            vec![
                status(incident.status).to_owned(),
                moment(&incident.opened_at),
                age(std::time::Duration::from_secs(incident.duration_s)),
                incident.acknowledged_by.clone().unwrap_or_else(|| "-".into()),
                incident.stream_name.clone(),
                incident.id.clone(),
                incident.title.clone(),
            ]
        };
        let rows: Vec<_> = incidents.iter().map(row).collect();
        lay_out(&["STATUS", "OPENED", "LASTED", "TAKEN BY", "STREAM", "ID", "BEGAN WITH"], &rows)
    })?;
    Ok(Exit::Clean)
}

pub(super) async fn run(command: IncidentCommand) -> Done {
    match command {
        IncidentCommand::Ack(options) => acknowledge(options).await,
        IncidentCommand::Unack(options) => unacknowledge(options).await,
    }
}

async fn acknowledge(options: AcknowledgeOptions) -> Done {
    let api = options.place.api().await?;
    let id = options.incident.as_str();
    let ask = Ask::api(Method::POST, &["incidents", id, "acknowledge"])
        .body(&Acknowledge { by: options.by.or_else(user) });
    let answer = change(&api, id, ask).await?;
    options.place.print(&answer, taken)?;
    Ok(Exit::Clean)
}

async fn unacknowledge(options: UnacknowledgeOptions) -> Done {
    let api = options.place.api().await?;
    let id = options.incident.as_str();
    let ask = Ask::api(Method::POST, &["incidents", id, "unacknowledge"]).body(&Acknowledge { by: user() });
    let answer = change(&api, id, ask).await?;
    options.place.print(&answer, given_back)?;
    Ok(Exit::Clean)
}

/// Who types this.
fn user() -> Option<String> {
    user_of(|name| std::env::var(name).ok())
}

/// The user that the system's variables name, where that can be somebody's name.
fn user_of(variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let is_name =
        |name: &String| (1..=80).contains(&name.chars().count()) && !name.contains(char::is_control);
    ["USER", "LOGNAME"].into_iter().filter_map(variable).map(|name| name.trim().to_owned()).find(is_name)
}

/// Changes who looks after an incident. The answer alone says whether this did: what was read before may be old.
async fn change(api: &Api, id: &str, ask: Ask) -> Result<IncidentTaken, CallError> {
    api.ask(ask).await.map_err(|error| match error {
        CallError::Refused(problem) if problem.status == 404 => {
            let id = plain(id, 120);
            CallError::Unclear(format!("there is no incident `{id}`: `hlsops incidents` shows them"))
        }
        other => other,
    })
}

/// What became of taking an incident. Who took it first stands.
fn taken(answer: &IncidentTaken) -> String {
    let incident = &answer.incident;
    let (title, holder) = (plain(&incident.title, 200), holder(incident));
    if answer.note.is_none() {
        return format!("acknowledged{holder}: {title}\n");
    }
    format!(
        "already acknowledged{holder}, and nothing was changed: {title}\n\
         to take it over, give it back first: hlsops incident unack {}\n",
        incident.id
    )
}

fn given_back(answer: &IncidentTaken) -> String {
    let title = plain(&answer.incident.title, 200);
    match answer.note {
        None => format!("given back, nobody looks after it now: {title}\n"),
        Some(_) => format!("nobody had acknowledged it, and nothing was changed: {title}\n"),
    }
}

/// Who has taken it, and when, as the end of a phrase.
fn holder(incident: &Incident) -> String {
    let Some(at) = incident.acknowledged_at.as_deref() else { return String::new() };
    let by = incident.acknowledged_by.as_deref().unwrap_or("somebody");
    format!(" by {} at {}", plain(by, 80), moment(at))
}

const fn status(status: IncidentStatus) -> &'static str {
    match status {
        IncidentStatus::Open => "OPEN",
        IncidentStatus::Acknowledged => "ACKNOWLEDGED",
        IncidentStatus::Resolved => "RESOLVED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(by: Option<&str>, note: Option<&str>) -> IncidentTaken {
        let incident = Incident {
            id: "inc:default:str_1:1".into(),
            stream_id: "str_1".into(),
            stream_name: "TV".into(),
            stream_removed: false,
            status: if by.is_some() { IncidentStatus::Acknowledged } else { IncidentStatus::Open },
            trigger: "unhealthy".into(),
            title: "nobody can start".into(),
            opened_at: String::new(),
            acknowledged_at: by.map(|_| "2026-11-22T03:35:10.123Z".into()),
            acknowledged_by: by.map(str::to_owned),
            resolved_at: None,
            resolution: None,
            duration_s: 0,
        };
        IncidentTaken { incident, note: note.map(str::to_owned) }
    }

    #[test]
    fn who_gives_no_name_is_the_systems_user() {
        let of = |user: &'static str, login: &'static str| {
            let known = move |name: &str| match name {
                "USER" => Some(user.to_owned()),
                "LOGNAME" => Some(login.to_owned()),
                _ => None,
            };
            user_of(known)
        };
        assert_eq!(of("ada", "root").as_deref(), Some("ada"));
        assert_eq!(of(" ", "root").as_deref(), Some("root"));
        assert_eq!(of("a\nb", ""), None);
        assert_eq!(user_of(|_| None), None, "then the key's name stands");
    }

    #[test]
    fn the_second_one_to_take_it_learns_who_was_first() {
        let first = taken(&answer(Some("Ada"), None));
        assert_eq!(first, "acknowledged by Ada at 2026-11-22 03:35:10Z: nobody can start\n");
        let again = taken(&answer(Some("Ada"), Some("Ada has looked after it")));
        for part in
            ["already acknowledged by Ada at 2026-11-22 03:35:10Z", "nothing was changed", "unack inc:"]
        {
            assert!(again.contains(part), "{again}");
        }
        assert!(given_back(&answer(None, None)).starts_with("given back"));
        assert!(given_back(&answer(None, Some("nobody looked after it"))).contains("nobody had"));
    }
}
