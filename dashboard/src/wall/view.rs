//! Which tiles are made at all: those on the screen and a little around it. Thousands of tiles that nobody sees would
//! cost every keystroke and every second.

use std::ops::Range;

/// Narrowest tile. Unit: CSS pixels, as all below.
const NARROWEST: f64 = 252.0;
/// Height of a tile; the style sheet says the same.
pub(crate) const HEIGHT: f64 = 126.0;
/// Between two tiles; the style sheet says the same.
const GAP: f64 = 10.0;
/// Rows made beyond each edge of the screen: what a turn of the wheel brings is there already.
const BEYOND: f64 = 2.0;

/// What the screen shows of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Screen {
    /// Width of the grid.
    pub(crate) width: f64,
    /// Where the grid begins, seen from the upper edge of the screen; negative once it is scrolled.
    pub(crate) top: f64,
    /// Height of the screen.
    pub(crate) height: f64,
}

impl Screen {
    /// Tiles in a row, at least one.
    pub(crate) fn columns(self) -> usize {
        whole((self.width + GAP) / (NARROWEST + GAP)).max(1)
    }

    /// The rows to be made, of a grid of any length.
    pub(crate) fn rows(self) -> Range<usize> {
        let row = HEIGHT + GAP;
        let first = whole(-self.top / row - BEYOND);
        let end = whole((self.height - self.top) / row + BEYOND + 1.0);
        first..end.max(first + 1)
    }
}

/// Height of a grid.
pub(crate) fn height(count: usize, columns: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
    let rows = count.div_ceil(columns.max(1)) as f64;
    (rows * (HEIGHT + GAP) - GAP).max(0.0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a negative number is none")]
fn whole(number: f64) -> usize {
    number as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_columns_as_fit() {
        let columns = |width| Screen { width, top: 0.0, height: 900.0 }.columns();
        assert_eq!([0.0, 300.0, 513.0, 514.0, 1400.0].map(columns), [1, 1, 1, 2, 5]);
    }

    #[test]
    fn the_rows_on_the_screen_and_a_little_around() {
        let rows = |top| Screen { width: 1_400.0, top, height: 900.0 }.rows();
        assert_eq!(rows(200.0), 0..8, "at the top");
        assert_eq!(rows(-13_600.0), 98..109, "in the middle");
        assert_eq!(rows(5_000.0), 0..1, "below the screen");
    }

    #[test]
    fn the_grid_is_as_high_as_all_its_rows() {
        assert_eq!([height(0, 5), height(1, 5), height(11, 5), height(3, 0)], [0.0, 126.0, 398.0, 398.0]);
    }
}
