//! Where the records of delimited text begin and end, and whether its quotes are sound.
//!
//! The `csv` crate takes fields apart; it finds a parse for any input, counts only LF as the end of a line and counts
//! it before the blank lines it passes over. This walk over the same bytes follows the same rules and knows the
//! physical line of each record and of each quote.

/// A walk over the records of delimited text. Blank lines are passed over.
pub(super) struct Records<'t> {
    rest: &'t [u8],
    line: u64,
    delimiter: u8,
    quotes: bool,
}

/// A record's extent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'t> {
    /// Its bytes, without the end of its line.
    pub bytes: &'t [u8],
    /// The physical line on which it begins, counted from 1.
    pub line: u64,
    /// The physical line on which it ends.
    pub last_line: u64,
    /// How many fields it has.
    pub fields: usize,
    /// The first quote that is closed and then followed by more text in the same field.
    pub stray: Option<Quoted>,
    /// A quote that is not closed before the text ends.
    pub unclosed: Option<Quoted>,
}

/// The quoted part of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quoted {
    /// The line on which the quote opens.
    pub opened: u64,
    /// The line on which it closes, or the last one.
    pub closed: u64,
    /// The field's number, counted from 1.
    pub field: usize,
}

impl<'t> Records<'t> {
    /// Starts at the beginning of `text`.
    pub fn new(text: &'t str, delimiter: u8, quotes: bool) -> Self {
        Self {
            rest: text.as_bytes(),
            line: 1,
            delimiter,
            quotes,
        }
    }

    /// How many bytes of the text come after the records so far.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Passes over one end of a line, if there is one here.
    fn end_line(&mut self) -> bool {
        let length = match self.rest {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return false,
        };
        self.rest = &self.rest[length..];
        self.line += 1;
        true
    }
}

enum Place {
    FieldStart,
    Plain,
    Quoted,
    AfterQuote,
    AfterQuoteAndSpace,
}

impl<'t> Iterator for Records<'t> {
    type Item = Record<'t>;

    fn next(&mut self) -> Option<Record<'t>> {
        while self.end_line() {}
        if self.rest.is_empty() {
            return None;
        }
        let bytes = self.rest;
        let line = self.line;
        let mut record = Record {
            bytes,
            line,
            last_line: line,
            fields: 1,
            stray: None,
            unclosed: None,
        };
        let mut place = Place::FieldStart;
        let mut quoted = Quoted {
            opened: 0,
            closed: 0,
            field: 0,
        };
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if let Place::Quoted = place {
                match byte {
                    b'"' => place = Place::AfterQuote,
                    b'\r' => self.line += 1,
                    b'\n' if bytes[at - 1] != b'\r' => self.line += 1,
                    _ => {}
                }
            } else if byte == b'\r' || byte == b'\n' {
                break;
            } else if byte == self.delimiter {
                record.fields += 1;
                place = Place::FieldStart;
            } else {
                place = match place {
                    Place::FieldStart if byte == b'"' && self.quotes => {
                        quoted = Quoted {
                            opened: self.line,
                            closed: 0,
                            field: record.fields,
                        };
                        Place::Quoted
                    }
                    Place::AfterQuote if byte == b'"' => Place::Quoted,
                    Place::AfterQuote | Place::AfterQuoteAndSpace if byte == b' ' => Place::AfterQuoteAndSpace,
                    Place::AfterQuote | Place::AfterQuoteAndSpace => {
                        quoted.closed = self.line;
                        record.stray.get_or_insert(quoted);
                        Place::Plain
                    }
                    Place::FieldStart | Place::Plain | Place::Quoted => Place::Plain,
                };
            }
            at += 1;
        }
        if let Place::Quoted = place {
            record.unclosed = Some(Quoted {
                closed: self.line,
                ..quoted
            });
        }
        record.last_line = self.line;
        record.bytes = &bytes[..at];
        self.rest = &bytes[at..];
        self.end_line();
        Some(record)
    }
}
