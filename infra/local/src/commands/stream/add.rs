//! `hlsops stream add`.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Args, ValueEnum};
use hlsops_wire::{Header, Problem, Segments, Stream, StreamCreate, StreamDetail, Watch, WatchMode};
use http::{HeaderName, HeaderValue, Method};
use url::Url;

use super::secrets::Secrets;
use crate::cli::parse;
use crate::client::{Api, Ask, CallError, Words};
use crate::commands::{Done, Place};
use crate::exit::Exit;
use crate::terminal::plain;

/// Options of `hlsops stream add`.
#[derive(Args, Debug)]
pub(crate) struct AddOptions {
    /// URL of a multivariant or media playlist
    #[arg(value_parser = parse::url)]
    url: Url,
    /// Name for people [default: made from the URL]
    #[arg(long)]
    name: Option<String>,
    /// Your own identifier, shown in alerts [default: made up]
    #[arg(long, value_name = "ID")]
    link_id: Option<String>,
    /// Send a header with every request to the host of URL; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = parse::header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Look once in so long, from 10s to 1h, instead of all the time: `60s`, `5m`
    #[arg(long, value_name = "TIME", value_parser = parse::interval)]
    interval: Option<Duration>,
    /// Which segments to download
    #[arg(long, value_name = "WHICH", value_enum, default_value = "full")]
    segments: SegmentsOption,
    /// Thresholds to begin with: `default` or `seed1`; `hlsops thresholds` lists both [default: default]
    #[arg(long)]
    profile: Option<String>,
    /// A threshold that differs from the profile; may be repeated for others. `hlsops thresholds` lists them
    #[arg(long = "threshold", value_name = "NAME=VALUE", value_parser = parse::threshold)]
    thresholds: Vec<(String, f64)>,
    /// Add it without watching it yet
    #[arg(long)]
    paused: bool,
    /// Add it also if a look at it now shows no playlist, or if another stream has the same URL
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SegmentsOption {
    /// Every one, from end to end
    Full,
    /// None: playlists only
    None,
}

/// Fields of a stream as options.
pub(in crate::commands) const WORDS: Words = &[
    ("/manifest_url", "URL"),
    ("/name", "--name"),
    ("/link_id", "--link-id"),
    ("/enabled", "--paused"),
    ("/watch/interval_s", "--interval"),
    ("/watch/segments", "--segments"),
    ("/request_headers", "--header"),
    ("/profile", "--profile"),
    ("/thresholds", "--threshold"),
];

impl AddOptions {
    fn body(&self) -> Result<StreamCreate, CallError> {
        let mut request_headers = Vec::new();
        for (name, value) in &self.headers {
            let value = value.to_str().map_err(|_| {
                CallError::Usage(format!("--header: the value of `{name}` is not printable ASCII"))
            })?;
            request_headers.push(Header { name: name.to_string(), value: value.to_owned() });
        }
        let mut thresholds = BTreeMap::new();
        for (name, value) in &self.thresholds {
            if let Some(first) = thresholds.insert(name.clone(), *value) {
                return Err(CallError::Usage(format!(
                    "--threshold {}: it is given twice, as {first} and as {value}; give it once",
                    plain(name, 80)
                )));
            }
        }
        let (mode, interval_s) = match self.interval {
            Some(every) => (WatchMode::Interval, Some(every.as_secs())),
            None => (WatchMode::Continuous, None),
        };
        let segments = match self.segments {
            SegmentsOption::Full => Segments::Full,
            SegmentsOption::None => Segments::None,
        };
        Ok(StreamCreate {
            manifest_url: self.url.to_string(),
            name: self.name.clone(),
            link_id: self.link_id.clone(),
            tags: BTreeMap::new(),
            enabled: self.paused.then_some(false),
            watch: Some(Watch { mode, interval_s, segments }),
            request_headers,
            profile: self.profile.clone(),
            thresholds,
        })
    }
}

pub(super) async fn add(options: AddOptions) -> Done {
    let body = options.body()?;
    let api = options.place.api().await?;
    if !options.force {
        let look = Ask::api(Method::POST, &["streams"]).query("validate_only", "true").body(&body);
        api.send(look).await.map_err(|error| hint(error, &api, &options.place, options.force))?;
        refuse_double(&super::all(&api).await?, &body.manifest_url)?;
    }
    let sent = api.ask(Ask::api(Method::POST, &["streams"]).body(&body)).await;
    let mut added: StreamDetail = sent.map_err(|error| hint(error, &api, &options.place, options.force))?;
    Secrets::default().mask_detail(&mut added);
    let note = if options.paused { String::new() } else { options.place.unwatched(&api)? };
    options.place.print(&added, |added| said(added) + &note)?;
    Ok(Exit::Clean)
}

fn said(added: &StreamDetail) -> String {
    let link = plain(&added.stream.link_id, 40);
    let warnings = added.warnings.iter().map(|warning| format!("note: {}\n", plain(warning, 400)));
    format!("added {}, link id {link}\n", super::named(&added.stream)) + &warnings.collect::<String>()
}

/// Watching a URL twice may be meant, with other headers or thresholds, and mostly is not.
fn refuse_double(streams: &[Stream], url: &str) -> Result<(), CallError> {
    let Some(double) = streams.iter().find(|stream| same_url(&stream.manifest_url, url)) else {
        return Ok(());
    };
    let named = super::named(double);
    Err(CallError::Unclear(format!("the stream {named} has the same URL; --force adds another all the same")))
}

/// Two spellings of one URL are one.
pub(in crate::commands) fn same_url(a: &str, b: &str) -> bool {
    a == b || matches!((parse::url(a), parse::url(b)), (Ok(a), Ok(b)) if a == b)
}

/// A stream that is down now may be added all the same; one that must not be fetched has to be allowed first.
pub(in crate::commands) fn hint(error: CallError, api: &Api, place: &Place, force: bool) -> CallError {
    match error {
        CallError::Refused(problem) if problem.code == "EC110" => {
            let folder = place.path().ok().map(|folder| folder.display().to_string());
            let unserved = folder.filter(|_| !api.is_served());
            CallError::Refused(Box::new(hinted(*problem, unserved.as_deref(), force)))
        }
        other => other,
    }
}

/// `unserved`: the folder, where no server runs on it.
fn hinted(mut problem: Problem, unserved: Option<&str>, force: bool) -> Problem {
    if !problem.errors.iter().any(|item| item.code == "private_address") {
        if !force {
            problem.errors.clear();
            problem.detail = format!("{}; --force adds it all the same", problem.detail);
        }
        return problem;
    }
    problem.errors.clear();
    // The one that was refused, which may be where a redirect leads.
    let refused = problem.detail.split_once(" is not a public address").map(|(target, _)| target.to_owned());
    let target = refused.filter(|target| !target.contains(' ')).unwrap_or_else(|| "HOST:PORT".into());
    let start = match unserved {
        Some(folder) => format!("start `hlsops serve --data {folder} --allow-target {target}`"),
        None => format!("start the server anew with `--allow-target {target}` among its options"),
    };
    let or = format!("or, where it has no such option, with {target} in its variable HLSOPS_ALLOW_TARGETS");
    let way = format!("{start}, {or}, and try again");
    problem.detail = format!("{target} is not a public address; if it is yours, {way}");
    problem
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlsops_wire::ProblemItem;

    fn problem(code: &str, detail: &str) -> Problem {
        let item = ProblemItem { pointer: "/manifest_url".into(), code: code.into(), detail: detail.into() };
        Problem { code: "EC110".into(), detail: detail.into(), errors: vec![item], ..Problem::default() }
    }

    #[test]
    fn what_is_refused_says_the_way() {
        let private = |unserved| {
            hinted(problem("private_address", "10.1.2.3:80 is not a public address; x"), unserved, false)
        };
        let (offline, served) = (private(Some("./data")).detail, private(None).detail);
        assert!(offline.contains("`hlsops serve --data ./data --allow-target 10.1.2.3:80`"), "{offline}");
        assert!(served.contains("anew with `--allow-target 10.1.2.3:80`"), "{served}");
        for way in [offline, served] {
            assert!(way.contains("10.1.2.3:80 in its variable HLSOPS_ALLOW_TARGETS"), "{way}");
        }
        let unknown = hinted(problem("private_address", "no"), None, false).detail;
        assert!(unknown.contains("--allow-target HOST:PORT"), "{unknown}");
        assert!(hinted(problem("dns", "no such host"), None, false).detail.contains("--force"));
        assert!(!hinted(problem("bad_url", "no such host"), None, true).detail.contains("--force"));
    }
}
