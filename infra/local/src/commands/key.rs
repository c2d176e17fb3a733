//! `hlsops key`: who may use the API and the dashboard.

use clap::{Args, Subcommand, ValueEnum};
use hlsops_wire::{Key, KeyCreate, KeyCreated, List, Scope};
use http::Method;
use jiff::Timestamp;
use serde_json::json;

use super::table::lay_out;
use super::{Done, Place, moment};
use crate::cli::parse;
use crate::client::{Api, Ask, CallError, Words};
use crate::exit::Exit;
use crate::terminal::{complain, plain};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key; its secret is printed this once
    New(NewOptions),
    /// List all keys, without their secrets
    List(ListOptions),
    /// Take a key away for good
    Revoke(RevokeOptions),
}

/// Options of `hlsops key new`.
#[derive(Args, Debug)]
pub(crate) struct NewOptions {
    /// Whose key it is, or what it is for
    name: String,
    /// What it may do; each may do what those before it may
    #[arg(long, value_enum, default_value = "viewer")]
    scope: ScopeOption,
    /// When it stops working: 2030-01-31T00:00:00Z, or how long from now: 90d, 12h [default: never]
    #[arg(long, value_name = "TIME", value_parser = |text: &str| parse::expiry(text, Timestamp::now()))]
    expires_at: Option<Timestamp>,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScopeOption {
    /// Look, with secrets masked
    Viewer,
    /// Change streams, acknowledge incidents
    Operator,
    /// Make and revoke keys
    Admin,
}

/// Options of `hlsops key list`.
#[derive(Args, Debug)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    place: Place,
}

/// Options of `hlsops key revoke`.
#[derive(Args, Debug)]
pub(crate) struct RevokeOptions {
    /// Id of the key, as `hlsops key list` shows it; or its name, where only one key that works has it
    key: String,
    #[command(flatten)]
    place: Place,
}

pub(super) const WORDS: Words = &[("/name", "NAME"), ("/scope", "--scope"), ("/expires_at", "--expires-at")];

pub(super) async fn run(command: KeyCommand) -> Done {
    match command {
        KeyCommand::New(options) => new(options).await,
        KeyCommand::List(options) => list(options).await,
        KeyCommand::Revoke(options) => revoke(options).await,
    }
}

async fn new(options: NewOptions) -> Done {
    let api = options.place.api().await?;
    let scope = match options.scope {
        ScopeOption::Viewer => Scope::Viewer,
        ScopeOption::Operator => Scope::Operator,
        ScopeOption::Admin => Scope::Admin,
    };
    let before = all(&api).await?;
    let now = Timestamp::now();
    let namesake = before.iter().find(|key| key.name == options.name && works(key, now));
    let expires_at = options.expires_at.map(|at| format!("{at:.3}"));
    let body = KeyCreate { name: options.name, scope, expires_at };
    let created: KeyCreated = api.ask(Ask::api(Method::POST, &["keys"]).body(&body)).await?;
    options.place.print(&created, made)?;
    if let Some(other) = namesake {
        complain(format_args!(
            "hlsops key: there was a key `{}` already and it still works: `hlsops key revoke {}` takes it away",
            plain(&other.name, 80),
            other.id
        ));
    }
    Ok(Exit::Clean)
}

/// The secret stands alone on the first line.
fn made(created: &KeyCreated) -> String {
    let KeyCreated { key, secret } = created;
    let may = match key.scope {
        Scope::Viewer => "look, with secrets masked",
        Scope::Operator => "look, change streams and acknowledge incidents",
        Scope::Admin => "do everything",
    };
    let ends =
        key.expires_at.as_deref().map_or("never expires".into(), |at| format!("expires {}", moment(at)));
    format!(
        "{secret}\nThe secret is shown this once. Key `{}`, id {}, scope {}: may {may}; {ends}.\n",
        plain(&key.name, 80),
        key.id,
        scope(key.scope)
    )
}

async fn all(api: &Api) -> Result<Vec<Key>, CallError> {
    let keys: List<Key> = api.ask(Ask::api(Method::GET, &["keys"])).await?;
    Ok(keys.items)
}

async fn list(options: ListOptions) -> Done {
    let keys = all(&options.place.api().await?).await?;
    options.place.print(&keys, |keys| {
        if keys.is_empty() {
            return "no keys yet: make one with `hlsops key new NAME --scope admin`\n".to_owned();
        }
        let time = |at: &Option<String>| at.as_deref().map_or_else(|| "never".to_owned(), moment);
        let row = |key: &Key| {
            vec![
                key.id.clone(),
                scope(key.scope).to_owned(),
                format!("{}...", key.prefix),
                time(&key.last_used_at),
                time(&key.expires_at),
                key.name.clone(),
            ]
        };
        let rows: Vec<_> = keys.iter().map(row).collect();
        lay_out(&["ID", "SCOPE", "KEY", "LAST USED", "EXPIRES", "NAME"], &rows)
    })?;
    Ok(Exit::Clean)
}

async fn revoke(options: RevokeOptions) -> Done {
    let api = options.place.api().await?;
    let keys = all(&api).await?;
    let key = choose(&keys, &options.key, Timestamp::now()).map_err(CallError::Unclear)?;
    api.send(Ask::api(Method::DELETE, &["keys", &key.id])).await?;
    let revoked = json!({"revoked": key.id, "name": key.name});
    options.place.print(&revoked, |_| {
        format!("revoked `{}`, {}, scope {}\n", plain(&key.name, 80), key.id, scope(key.scope))
    })?;
    Ok(Exit::Clean)
}

/// The key of that id, else the only one of that name that works.
fn choose<'a>(keys: &'a [Key], named: &str, now: Timestamp) -> Result<&'a Key, String> {
    if let Some(key) = keys.iter().find(|key| key.id == named) {
        return Ok(key);
    }
    let shown = plain(named, 80);
    let namesakes: Vec<&Key> = keys.iter().filter(|key| key.name == named).collect();
    let working: Vec<&&Key> = namesakes.iter().filter(|key| works(key, now)).collect();
    match (working.as_slice(), namesakes.as_slice()) {
        ([one], _) => Ok(one),
        (_, []) => {
            Err(format!("there is no key with the id or name `{shown}`: `hlsops key list` shows them"))
        }
        _ => {
            let mut text =
                format!("`{shown}` is not the name of exactly one key that works: use one of these ids");
            for key in namesakes {
                let expired = if works(key, now) { "" } else { ", expired" };
                let made = moment(&key.created_at);
                text.push_str(&format!("\n  {}  {}, made {made}{expired}", key.id, scope(key.scope)));
            }
            Err(text)
        }
    }
}

/// It has not expired. What cannot be read is taken for a key that works.
fn works(key: &Key, now: Timestamp) -> bool {
    let ends = key.expires_at.as_deref().and_then(|at| at.parse::<Timestamp>().ok());
    ends.is_none_or(|ends| ends > now)
}

const fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Viewer => "viewer",
        Scope::Operator => "operator",
        Scope::Admin => "admin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, name: &str, expires_at: Option<&str>) -> Key {
        Key {
            id: id.into(),
            name: name.into(),
            prefix: "hlsops_ab".into(),
            scope: Scope::Operator,
            account: "default".into(),
            created_at: "2026-11-22T03:35:10.000Z".into(),
            expires_at: expires_at.map(str::to_owned),
            last_used_at: None,
        }
    }

    #[test]
    fn a_key_is_chosen_by_id_or_by_a_name_that_is_one_keys_only() {
        const PAST: Option<&str> = Some("2026-01-01T00:00:00.000Z");
        let keys = [
            key("key_1", "wall", None),
            key("key_2", "wall", PAST),
            key("key_3", "twin", None),
            key("key_4", "twin", Some("2030-01-01T00:00:00.000Z")),
            key("key_5", "old", PAST),
        ];
        let now = "2026-11-22T00:00:00Z".parse().unwrap();
        let chosen = |named: &str| choose(&keys, named, now).map(|key| key.id.as_str());
        for (named, expected) in [("key_2", "key_2"), ("wall", "key_1"), ("key_5", "key_5")] {
            assert_eq!(chosen(named), Ok(expected));
        }
        let why = chosen("twin").unwrap_err();
        assert!(
            why.contains("key_3  operator") && why.contains("key_4") && !why.contains("expired"),
            "{why}"
        );
        assert!(chosen("old").is_err_and(|why| why.contains("key_5") && why.contains("expired")));
        assert!(chosen("nobody").is_err_and(|why| why.contains("`hlsops key list`")));
    }

    #[test]
    fn a_new_key_says_what_it_may_and_until_when() {
        let made =
            |expires| made(&KeyCreated { key: key("key_1", "wall", expires), secret: "hlsops_abc".into() });
        let text = made(None);
        assert_eq!(text.lines().next(), Some("hlsops_abc"));
        assert!(text.contains("scope operator") && text.contains("never expires"), "{text}");
        assert!(made(Some("2030-01-01T00:00:00.000Z")).contains("expires 2030-01-01 00:00:00Z"));
    }
}
