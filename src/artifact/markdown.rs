//! Text that stays where it is put in Markdown.

/// Text that cannot end the paragraph it stands in.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text that cannot end the table cell it stands in.
pub fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
