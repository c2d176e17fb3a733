//! Tables for people.

use std::fmt::Write;

/// Rows of text under a head; the first `left` columns are aligned left, the others right.
#[derive(Clone, Debug)]
pub struct Table {
    left: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With this head.
    #[must_use]
    pub fn new(left: usize, head: &[&str]) -> Self {
        Self { left, rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    /// Adds a row.
    pub fn add(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// The table as text, columns as wide as they need to be.
    #[must_use]
    pub fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), column) in row.iter().zip(&widths).zip(0..) {
                // Writing to a String cannot fail.
                let _ = if column < self.left {
                    write!(line, "{cell:<width$}  ")
                } else {
                    write!(line, "{cell:>width$}  ")
                };
            }
            let _ = writeln!(out, "{}", line.trim_end());
        }
        out
    }
}

/// Seconds with one decimal, or a dash.
#[must_use]
pub fn seconds(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), |seconds| format!("{seconds:.1}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(1, &["name", "s"]);
        table.add(vec!["a".into(), seconds(Some(12.34))]);
        table.add(vec!["longer".into(), seconds(None)]);
        assert_eq!(table.text(), "name       s\na       12.3\nlonger     -\n");
    }
}
