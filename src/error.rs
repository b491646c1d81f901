//! The one error type: what went wrong, where, and what to do about it.

use std::fmt;

use serde::Serialize;

/// What every fallible function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a step could not be done, in words a person can act on.
///
/// [`Error::code`] is stable across releases and meant for programs, the message is meant for people and may
/// change. Errors about a file carry a [`Position`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    code: Code,
    message: String,
    position: Option<Position>,
}

/// The kinds of failure, one stable name each ([`Code::as_str`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Code {
    /// A file has no content, or only a header, or nothing usable in any row.
    InputEmpty,
    /// A file is binary (a spreadsheet, an archive, an image), not text.
    InputBinary,
    /// A file is not in the encoding it was read with.
    InputEncoding,
    /// A file breaks its own format: an unclosed quote, broken JSON.
    InputSyntax,
    /// A column that was asked for is not there, or none could be found.
    InputColumn,
    /// Judgements (qrels) that do not fit the queries and documents they are for.
    InputQrels,
    /// A model folder lacks a file.
    ModelFileMissing,
    /// A model's configuration asks for something this crate does not do; the message names the key.
    ModelConfig,
    /// A weight file is cut short or not in the safetensors format.
    ModelWeights,
    /// A weight has another shape than the configuration says, or is missing.
    ModelShape,
    /// `tokenizer.json` cannot be used.
    ModelTokenizer,
    /// A download that was given back is not one, is damaged, or is of another base model.
    Artifact,
    /// The device asked for is not there.
    DeviceUnavailable,
    /// The device gives wrong numbers (self-test) or was lost.
    DeviceFaulty,
    /// The caller cancelled; everything finished so far is in the store.
    Cancelled,
    /// An option has a value outside its range.
    Option,
    /// The store that keeps finished work could not be read or written.
    Store,
    /// A defect in this crate.
    Internal,
}

impl Code {
    /// The stable name of this kind of failure, as programs see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InputEmpty => "input-empty",
            Self::InputBinary => "input-binary",
            Self::InputEncoding => "input-encoding",
            Self::InputSyntax => "input-syntax",
            Self::InputColumn => "input-column",
            Self::InputQrels => "input-qrels",
            Self::ModelFileMissing => "model-file-missing",
            Self::ModelConfig => "model-config",
            Self::ModelWeights => "model-weights",
            Self::ModelShape => "model-shape",
            Self::ModelTokenizer => "model-tokenizer",
            Self::Artifact => "artifact",
            Self::DeviceUnavailable => "device-unavailable",
            Self::DeviceFaulty => "device-faulty",
            Self::Cancelled => "cancelled",
            Self::Option => "option",
            Self::Store => "store",
            Self::Internal => "internal",
        }
    }
}

/// A place in an input file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The file's name as the caller gave it.
    pub file: String,
    /// Line, counted from 1; 0 where the whole file is meant.
    pub line: u64,
    /// Column (a field's number in delimited text, a character's in JSON), counted from 1; 0 where a whole line is meant.
    pub column: u64,
}

impl Error {
    /// An error of the given kind; `message` says what was wrong and what to do.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            message: message.into(),
            position: None,
        }))
    }

    /// The same error, pointing at a place in a file.
    #[must_use]
    pub fn at(mut self, file: &str, line: u64, column: u64) -> Self {
        self.0.position = Some(Position {
            file: file.to_owned(),
            line,
            column,
        });
        self
    }

    /// The kind of failure.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What was wrong and what to do, without the position.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where in a file it was, if the error is about a file.
    pub fn position(&self) -> Option<&Position> {
        self.0.position.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(p) = &self.0.position {
            f.write_str(&p.file)?;
            if p.line > 0 {
                write!(f, ", line {}", p.line)?;
            }
            if p.column > 0 {
                write!(f, ", column {}", p.column)?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}
