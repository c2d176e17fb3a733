//! Asking before something is changed.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::error::Error;

/// Longest answer that is read.
const MAX_ANSWER: u64 = 200;

/// Goes on if the user has agreed beforehand, or types the word now.
pub(crate) fn confirm(question: &str, word: &str, agreed: bool) -> Result<(), Error> {
    if agreed {
        return Ok(());
    }
    let input = io::stdin();
    if !input.is_terminal() {
        return Err(Error::NoTerminal);
    }
    print!("{question} Type `{word}` to go ahead: ");
    io::stdout().flush().map_err(Error::file("write to", "the terminal"))?;
    let mut answer = String::new();
    let mut limited = io::Read::take(input.lock(), MAX_ANSWER);
    limited.read_line(&mut answer).map_err(Error::file("read from", "the terminal"))?;
    if answer.trim() == word { Ok(()) } else { Err(Error::Declined) }
}
