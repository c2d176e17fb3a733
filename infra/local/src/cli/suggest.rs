//! The option that was meant by one that does not exist.

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Adds to what clap says of an unknown option: short names are too short for its own measure, and what begins
/// like an option was never meant as a value.
pub(crate) fn suggest(error: &mut clap::Error, root: &Command, args: &[String]) {
    if error.kind() != ErrorKind::UnknownArgument {
        return;
    }
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidArg) else { return };
    let Some(given) = given.strip_prefix("--").map(str::to_owned) else { return };
    if let Some(ContextValue::StyledStrs(mut tips)) = error.remove(ContextKind::Suggested) {
        tips.retain(|tip| !tip.to_string().contains(" as a value"));
        if !tips.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
    if error.get(ContextKind::SuggestedArg).is_none()
        && let Some(meant) = nearest(&given, root, args)
    {
        error.insert(ContextKind::SuggestedArg, ContextValue::String(format!("--{meant}")));
    }
}

/// The option of the command in `args` that differs least from `given`, where that is little.
fn nearest(given: &str, root: &Command, args: &[String]) -> Option<String> {
    let asked = args.iter().fold(root, |command, arg| command.find_subcommand(arg).unwrap_or(command));
    let options = asked.get_arguments().chain(root.get_arguments()).filter_map(clap::Arg::get_long);
    let near = options.map(|option| (strsim::levenshtein(given, option), option));
    let (differs, option) = near.min_by_key(|(differs, _)| *differs)?;
    (differs <= (option.len() / 3).max(1)).then(|| option.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::{CommandFactory, Parser};

    #[test]
    fn a_mistyped_option_is_recognised() {
        for (line, expected) in [
            ("hlsops check http://h/a --fr 3s", "'--for'"),
            ("hlsops check --fr 3s", "'--for'"),
            ("hlsops stream list --dat x", "'--data'"),
            ("hlsops serve --lisen 1", "'--listen'"),
        ] {
            let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let mut error = Cli::try_parse_from(&args).unwrap_err();
            suggest(&mut error, &Cli::command(), &args);
            let text = error.to_string();
            assert!(text.contains(expected) && !text.contains("as a value"), "{line}: {text}");
        }
        let args = ["hlsops", "check", "--colourful"].map(str::to_owned);
        let mut error = Cli::try_parse_from(&args).unwrap_err();
        suggest(&mut error, &Cli::command(), &args);
        assert!(!error.to_string().contains("similar"), "{error}");
    }
}
