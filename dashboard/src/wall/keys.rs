//! The grid is one stop of the Tab key; other keys move inside.

/// Where a key leads from place `at` of `count` in rows of `columns`.
pub(crate) fn target(key: &str, at: usize, count: usize, columns: usize) -> Option<usize> {
    /// Rows that the page keys move by.
    const PAGE: usize = 5;
    let last = count.checked_sub(1)?;
    let columns = columns.max(1);
    let to = match key {
        "ArrowRight" | "j" => at + 1,
        "ArrowLeft" | "k" => at.checked_sub(1)?,
        "ArrowDown" => at + columns,
        "ArrowUp" => at.checked_sub(columns)?,
        "PageDown" => (at + PAGE * columns).min(last),
        "PageUp" => at.saturating_sub(PAGE * columns),
        "Home" => 0,
        "End" => last,
        _ => return None,
    };
    (to <= last).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn arrows_stay_inside_the_grid() {
        // 3 columns: 0 1 2 / 3 4 5 / 6
        let to = |key, at| target(key, at, 7, 3);
        assert_eq!((to("ArrowRight", 2), to("j", 2), to("ArrowRight", 6)), (Some(3), Some(3), None));
        assert_eq!((to("ArrowLeft", 3), to("k", 3), to("ArrowLeft", 0)), (Some(2), Some(2), None));
        assert_eq!((to("ArrowDown", 3), to("ArrowDown", 4)), (Some(6), None));
        assert_eq!((to("ArrowUp", 3), to("ArrowUp", 2)), (Some(0), None));
        assert_eq!((to("Home", 5), to("End", 0), to("x", 0)), (Some(0), Some(6), None));
        assert_eq!((to("PageDown", 1), to("PageUp", 5)), (Some(6), Some(0)));
        assert_eq!(target("End", 0, 0, 3), None);
        assert_eq!(target("ArrowDown", 0, 2, 0), Some(1));
    }
}
