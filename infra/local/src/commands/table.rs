//! Tables for a terminal.

use crate::terminal::{plain, width};

/// Longest text of a column that is not the last.
const COLUMN: usize = 40;
/// The same of a single word: an identifier is there to be copied.
const WORD: usize = 200;

/// Lays rows out in columns as wide as they need to be; the last one is not padded. Cells come from outside and
/// are made safe here, except those of a first column that was [painted](crate::terminal::Style).
pub(crate) fn lay_out(head: &[&str], rows: &[Vec<String>]) -> String {
    let clean: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let last = row.len().saturating_sub(1);
            let cut = |(at, cell): (usize, &String)| match at {
                0 => cell.clone(),
                at if at == last => plain(cell, usize::MAX),
                _ if cell.contains(' ') => plain(cell, COLUMN),
                _ => plain(cell, WORD),
            };
            row.iter().enumerate().map(cut).collect()
        })
        .collect();
    let widest = |at: usize| {
        let cells = clean.iter().filter_map(|row| row.get(at)).map(|cell| width(cell));
        cells.chain(head.get(at).map(|title| title.chars().count())).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(widest).collect();
    let titles: Vec<String> = head.iter().map(|title| (*title).to_owned()).collect();
    let mut out = String::new();
    for row in std::iter::once(&titles).chain(&clean) {
        let mut line = String::new();
        for (cell, wanted) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', wanted.saturating_sub(width(cell)) + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_foreign_text_is_safe() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let table = lay_out(
            &["STATE", "NAME", "URL"],
            &[
                row(["\x1b[32mOK\x1b[0m", "a\x1b[2J", "http://x/"]),
                row(["DEGRADED", "longer name", "http://y/"]),
            ],
        );
        let shown = "STATE     NAME         URL\n\x1b[32mOK\x1b[0m        a·[2J        http://x/\n\
                     DEGRADED  longer name  http://y/\n";
        assert_eq!(table, shown);
        let (words, id) = ("so many words that ".repeat(4), format!("inc:default:str_{}:1", "x".repeat(40)));
        let table =
            lay_out(&["STATE", "NAME", "ID", "URL"], &[["OK", &words, &id, ""].map(str::to_owned).to_vec()]);
        assert!(table.contains('…') && table.contains(&id), "{table}");
    }
}
