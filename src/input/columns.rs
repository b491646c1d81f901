//! Which column holds what.

use std::collections::HashMap;

use super::names;
use super::options::{ReadOptions, Role};
use super::reading::{Reading, UsedColumns, excerpt};
use crate::error::{Code, Error, Result};

/// How many rows are looked at to choose columns.
pub(super) const SAMPLE_ROWS: usize = 1000;
/// About how many bytes of them.
pub(super) const SAMPLE_BYTES: usize = 1 << 20;

/// The chosen columns, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub id: Option<usize>,
    pub title: Option<usize>,
    pub text: usize,
    pub count: Option<usize>,
}

/// What is known of a table before its columns are chosen.
pub(super) struct Table<'a> {
    /// The columns' names, if it has any.
    pub header: Option<&'a [String]>,
    /// How many columns there are.
    pub width: usize,
    /// The first rows; they may be shorter or longer than `width`.
    pub rows: &'a [Vec<String>],
}

impl Columns {
    /// Chooses what the options ask for, then what the names say, then what the cells look like.
    pub fn choose(table: &Table<'_>, role: Role, options: &ReadOptions, reading: &mut Reading) -> Result<Self> {
        let id = table.asked(&options.id_column)?;
        let title = table.asked(&options.title_column)?;
        let text = table.asked(&options.text_column)?;
        let count = table.asked(&options.count_column)?;
        let mut taken: Vec<usize> = [id, title, text, count].into_iter().flatten().flatten().collect();

        let id = id.unwrap_or_else(|| names::ids(role).into_iter().find_map(|list| table.named(list, &taken)));
        taken.extend(id);
        let count = count.unwrap_or_else(|| table.named_counts(names::counts(role), &taken));
        taken.extend(count);
        // A column whose name could be either is the text: it is looked for first.
        let text = text.flatten().or_else(|| table.named_text(role, &taken));
        taken.extend(text);
        let mut title = title.unwrap_or_else(|| table.named(names::titles(role), &taken));

        let text = match text {
            Some(text) => text,
            None => {
                let longest = table.wordiest(&taken).or(title).ok_or_else(|| {
                    let message = format!("No column looks like text. {} Name the one to use.", table.listing());
                    Error::new(Code::InputColumn, message)
                })?;
                // Titles alone are texts too.
                title = title.filter(|title| *title != longest);
                longest
            }
        };
        let (mut id, mut count) = (id, count);
        let taken = [Some(text), title, id, count];
        let free = |column: &usize| *column < table.width && !taken.contains(&Some(*column));
        if let Some(named) = id.filter(|_| options.id_column.is_none())
            && table.ids_with_several_texts(named, text) * 10 > table.rows.len()
        {
            reading.notes.push(format!(
                "The column {:?} looks like ids, but the same ones come back with other texts, so it was not used.",
                table.label(named)
            ));
            id = None;
        } else if table.header.is_none() && options.id_column.is_none() {
            id = Some(0).filter(|column| free(column) && table.looks_like_ids(*column));
        }
        if options.count_column.is_none() && role == Role::Queries {
            count = match table.header {
                Some(_) => count.or_else(|| {
                    let others: Vec<usize> = taken.into_iter().flatten().collect();
                    table.named_counts(names::texts_or_counts(role), &others)
                }),
                None => (text + 1..table.width).find(|column| free(column) && table.looks_like_counts(*column)),
            };
        }

        reading.has_header = table.header.is_some();
        reading.columns = (0..table.width).map(|column| table.name(column)).collect();
        reading.used = UsedColumns {
            id: id.map(|column| table.label(column)),
            title: title.map(|column| table.label(column)),
            text: Some(table.label(text)),
            count: count.map(|column| table.label(column)),
        };
        Ok(Self { id, title, text, count })
    }

    /// The last of the columns, counted from 0: a row has to reach that far.
    pub fn last(&self) -> usize {
        [self.id, self.title, Some(self.text), self.count]
            .into_iter()
            .flatten()
            .max()
            .unwrap_or(0)
    }
}

/// Whether the first row names the columns; if that is but a guess, why.
pub(super) fn header(
    first: &[String],
    rows: &[Vec<String>],
    role: Role,
    options: &ReadOptions,
) -> (bool, Option<&'static str>) {
    if let Some(said) = options.has_header {
        return (said, None);
    }
    let asked = [
        &options.id_column,
        &options.title_column,
        &options.text_column,
        &options.count_column,
    ];
    let asked_for = |cell: &String| {
        asked
            .into_iter()
            .flatten()
            .any(|name| names::plain(name) == names::plain(cell))
    };
    if first
        .iter()
        .any(|cell| cell.contains(char::is_alphabetic) && asked_for(cell))
    {
        return (true, None);
    }
    if let [only] = first {
        let known = names::is_text_name(only, role);
        return (known, known.then_some("it is the usual name of such a column"));
    }
    if first.iter().any(|cell| is_number(cell)) {
        return (false, None);
    }
    if first.iter().any(|cell| names::is_known(cell)) {
        return (true, None);
    }
    let numbers_below = |column: usize| {
        let mut cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .filter(|cell| !cell.is_empty())
            .peekable();
        cells.peek().is_some() && cells.all(|cell| is_number(cell))
    };
    let named = |column: usize| !first[column].is_empty() && numbers_below(column);
    let guessed = rows.len() >= 3 && (0..first.len()).any(named);
    (
        guessed,
        guessed.then_some("it has a word where all other rows have a number"),
    )
}

impl Table<'_> {
    /// A column by its name or number: not asked for, asked to be none, or that column.
    pub fn asked(&self, name: &Option<String>) -> Result<Option<Option<usize>>> {
        let Some(name) = name.as_deref().map(str::trim) else {
            return Ok(None);
        };
        if name.is_empty() {
            return Ok(Some(None));
        }
        let header = self.header.unwrap_or_default();
        let same = |column: &String| names::plain(column) == names::plain(name) && !names::plain(name).is_empty();
        let number = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let found = header
            .iter()
            .position(|column| column == name)
            .or(number.filter(|column| *column < self.width))
            .or_else(|| header.iter().position(same));
        match found {
            Some(column) => Ok(Some(Some(column))),
            None => {
                let message = format!("There is no column {name:?}. {}", self.listing());
                Err(Error::new(Code::InputColumn, message))
            }
        }
    }

    /// The column that has one of these names, the first name before the second.
    pub fn named(&self, list: &[&str], taken: &[usize]) -> Option<usize> {
        let header: Vec<String> = self.header?.iter().map(|name| names::plain(name)).collect();
        list.iter()
            .find_map(|known| (0..header.len()).find(|column| header[*column] == *known && !taken.contains(column)))
    }

    /// The column that one of these names says is of counts, if it is.
    fn named_counts(&self, list: &[&str], taken: &[usize]) -> Option<usize> {
        self.named(list, taken).filter(|column| self.is_mostly_counts(*column))
    }

    /// The column of texts by its name. Numbers are passed over where something else can be the text: an export may call
    /// the frequencies `Suchanfragen`, and a log may hold nothing but part numbers.
    fn named_text(&self, role: Role, taken: &[usize]) -> Option<usize> {
        let first = self.named(names::texts(role), taken)?;
        if !self.is_mostly_counts(first) {
            return Some(first);
        }
        let numbers = (0..self.width).filter(|column| self.is_mostly_counts(*column));
        let passed_over: Vec<usize> = taken.iter().copied().chain(numbers).collect();
        let may_be_counts = || self.named(names::texts_or_counts(role), taken) == Some(first);
        self.named(names::texts(role), &passed_over)
            .or_else(|| may_be_counts().then(|| self.wordiest(&passed_over)).flatten())
            .or(Some(first))
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows
            .iter()
            .filter_map(move |row| row.get(column))
            .map(|cell| cell.trim())
    }

    /// The column with the most letters, web addresses not counted.
    fn wordiest(&self, taken: &[usize]) -> Option<usize> {
        let letters = |column: usize| -> usize {
            let words = self.cells(column).filter(|cell| !cell.contains("://"));
            words
                .map(|cell| cell.chars().filter(|letter| letter.is_alphabetic()).count())
                .sum()
        };
        let columns = (0..self.width)
            .filter(|column| !taken.contains(column))
            .map(|column| (letters(column), column));
        // Of two equal ones the first.
        columns
            .filter(|(letters, _)| *letters > 0)
            .max_by_key(|(letters, column)| (*letters, usize::MAX - column))
            .map(|(_, column)| column)
    }

    /// How many rows of the sample have the id of an earlier row but another text.
    fn ids_with_several_texts(&self, id: usize, text: usize) -> usize {
        let mut first: HashMap<&str, &str> = HashMap::new();
        let rows = self
            .rows
            .iter()
            .filter_map(|row| Some((row.get(id)?.trim(), row.get(text)?.trim())));
        rows.filter(|(id, text)| !id.is_empty() && *first.entry(id).or_insert(text) != *text)
            .count()
    }

    fn looks_like_ids(&self, column: usize) -> bool {
        let mut seen = std::collections::HashSet::new();
        let mut cells = self.cells(column);
        self.rows.len() > 1
            && cells.all(|cell| !cell.is_empty() && !cell.contains(char::is_whitespace) && seen.insert(cell))
    }

    fn is_mostly_counts(&self, column: usize) -> bool {
        let cells = || self.cells(column).filter(|cell| !cell.is_empty());
        2 * cells().filter(|cell| parse_count(cell).is_some()).count() > cells().count()
    }

    /// Whole numbers that come back or only ever fall: a frequency, not an id.
    fn looks_like_counts(&self, column: usize) -> bool {
        let Some(numbers) = self.cells(column).map(parse_count).collect::<Option<Vec<u32>>>() else {
            return false;
        };
        let mut sorted = numbers.clone();
        sorted.sort_unstable();
        sorted.dedup();
        numbers.len() > 1 && (sorted.len() < numbers.len() || numbers.is_sorted_by(|a, b| a >= b))
    }

    /// A column's name, or its number if it has none.
    pub fn name(&self, column: usize) -> String {
        let name = self
            .header
            .and_then(|header| header.get(column))
            .filter(|name| !name.is_empty());
        name.cloned().unwrap_or_else(|| (column + 1).to_string())
    }

    /// A column's name if it is the only one of that name, else its number.
    pub fn label(&self, column: usize) -> String {
        let name = self.name(column);
        let header = self.header.unwrap_or_default();
        if header.iter().filter(|other| **other == name).count() > 1 {
            (column + 1).to_string()
        } else {
            name
        }
    }

    pub fn listing(&self) -> String {
        const LISTED: usize = 50;
        let list: Vec<String> = (0..self.width.min(LISTED))
            .map(|column| match self.header {
                Some(header) => format!("{} {:?}", column + 1, excerpt(&header[column])),
                None => (column + 1).to_string(),
            })
            .collect();
        let more = if self.width > LISTED {
            format!(" … {}", self.width)
        } else {
            String::new()
        };
        format!("The columns are: {}{more}.", list.join(", "))
    }
}

/// Whether a cell is a number as people write them, with either decimal sign, grouped, or in percent.
fn is_number(cell: &str) -> bool {
    let cell = cell.trim().trim_end_matches('%').trim_start_matches(['-', '+']);
    cell.contains(|letter: char| letter.is_ascii_digit())
        && cell
            .chars()
            .all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ',' | ' ' | '\u{a0}'))
}

/// A whole number, perhaps grouped by thousands (`1,234`, `1.234`, `1 234`), or with a fraction that is zero (`12.0`,
/// `1.234,00`).
pub(super) fn parse_count(cell: &str) -> Option<u32> {
    let compact: String = cell
        .chars()
        .filter(|letter| !matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '\''))
        .collect();
    let groups: Vec<&str> = compact.split(['.', ',']).collect();
    if groups
        .iter()
        .any(|group| group.is_empty() || !group.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return None;
    }
    // Where both signs occur, the last is the decimal one, and it occurs once.
    let fraction = compact.rfind(['.', ',']).filter(|&last| {
        let sign = &compact[last..=last];
        compact.contains(if sign == "." { ',' } else { '.' }) && compact.matches(sign).count() == 1
    });
    if let Some(last) = fraction {
        let is_zero = compact[last + 1..].bytes().all(|byte| byte == b'0');
        return parse_count(&compact[..last]).filter(|_| is_zero);
    }
    let digits = match groups.as_slice() {
        [whole] => (*whole).to_owned(),
        // A thousand does not begin with 0: that is a fraction.
        [first, rest @ ..]
            if first.len() <= 3 && !first.starts_with('0') && rest.iter().all(|group| group.len() == 3) =>
        {
            groups.concat()
        }
        [whole, fraction] if fraction.bytes().all(|byte| byte == b'0') => (*whole).to_owned(),
        _ => return None,
    };
    // Only digits are left: whatever does not parse is too large.
    Some(digits.parse().unwrap_or(u32::MAX))
}

/// Reads the cells of a frequency column and remembers those that are none.
#[derive(Default)]
pub(super) struct Counts {
    odd: usize,
    first: Option<(u64, String)>,
}

impl Counts {
    /// The number in the cell; 1 if the cell is empty or no number.
    pub fn read(&mut self, cell: Option<&str>, line: u64) -> u32 {
        let Some(cell) = cell.map(str::trim).filter(|cell| !cell.is_empty()) else {
            return 1;
        };
        parse_count(cell).unwrap_or_else(|| {
            self.odd += 1;
            self.first.get_or_insert_with(|| (line, cell.to_owned()));
            1
        })
    }

    pub fn note(self, reading: &mut Reading) {
        if let Some((line, cell)) = self.first {
            let column = reading.used.count.as_deref().unwrap_or_default();
            reading.notes.push(format!(
                "{} rows have no whole number in the column {column:?} (the first on line {line}: {:?}); each was \
                 counted once.",
                self.odd,
                excerpt(&cell)
            ));
        }
    }
}
