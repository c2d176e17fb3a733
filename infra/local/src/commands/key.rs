//! `hlsops key`: who may use the API and the dashboard.

use clap::{Args, Subcommand, ValueEnum};
use hlsops_wire::{Key, KeyCreate, KeyCreated, List, Scope};
use http::Method;
use serde_json::json;

use super::table::lay_out;
use super::{Done, Place, moment};
use crate::client::Ask;
use crate::exit::Exit;
use crate::terminal::plain;

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
    /// What it may do
    #[arg(long, value_enum, default_value = "viewer")]
    scope: ScopeOption,
    /// When it stops working, as in 2030-01-31T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME")]
    expires_at: Option<jiff::Timestamp>,
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
    /// Id of the key, as `hlsops key list` shows it
    key: String,
    #[command(flatten)]
    place: Place,
}

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
    let expires_at = options.expires_at.map(|at| format!("{at:.3}"));
    let body = KeyCreate { name: options.name, scope, expires_at };
    let created: KeyCreated = api.ask(Ask::api(Method::POST, &["keys"]).body(&body)).await?;
    options.place.print(&created, |created| {
        format!("{}\nshown this once; its id is {}\n", created.secret, created.key.id)
    })?;
    Ok(Exit::Clean)
}

async fn list(options: ListOptions) -> Done {
    let api = options.place.api().await?;
    let keys: List<Key> = api.ask(Ask::api(Method::GET, &["keys"])).await?;
    options.place.print(&keys.items, |keys| {
        if keys.is_empty() {
            return "no keys yet: make one with `hlsops key new NAME --scope admin`\n".to_owned();
        }
        let time = |at: &Option<String>| at.as_deref().map_or_else(|| "never".to_owned(), moment);
        let row = |key: &Key| {
            let scope = match key.scope {
                Scope::Viewer => "viewer",
                Scope::Operator => "operator",
                Scope::Admin => "admin",
            };
            let begins = format!("{}...", key.prefix);
            vec![
                key.id.clone(),
                scope.to_owned(),
                begins,
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
    api.send(Ask::api(Method::DELETE, &["keys", &options.key])).await?;
    let revoked = json!({"revoked": options.key});
    options.place.print(&revoked, |_| format!("revoked {}\n", plain(&options.key, 80)))?;
    Ok(Exit::Clean)
}
