//! The zip itself: weights stored, text deflated, no times in it.

use std::borrow::Cow;
use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::{Content, File};
use crate::error::{Code, Error, Result};

/// Bytes written in one step: little enough to take well under 100 ms.
const PIECE: usize = 1 << 20;

/// A zip being written.
///
/// ```text
/// let mut packing = artifact.pack()?;
/// while packing.step()? { /* show progress, look whether it is cancelled */ }
/// let zip = packing.finish()?;
/// ```
pub struct Packing<'a> {
    files: Vec<File<'a>>,
    /// The file at work, and its next piece.
    file: usize,
    piece: usize,
    zip: ZipWriter<Cursor<Vec<u8>>>,
    has_long_data: bool,
}

impl<'a> Packing<'a> {
    pub(super) fn new(files: Vec<File<'a>>) -> Result<Self> {
        // Room for the models, so that the largest buffer of the job is hardly ever moved: texts take a part of their
        // length only, and nobody knows which. 512 bytes cover a file's headers.
        let size: usize = files
            .iter()
            .map(|file| file.content.least() + 2 * file.path.len() + 512)
            .sum();
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(size).map_err(|_| {
            let text = format!(
                "No memory for a download of {} MB. Close other pages and try again.",
                size >> 20
            );
            Error::new(Code::Internal, text)
        })?;
        Ok(Self {
            files,
            file: 0,
            piece: 0,
            zip: ZipWriter::new(Cursor::new(buffer)),
            has_long_data: false,
        })
    }

    /// Makes room for files of the data set of 4 GiB and more, whose length a zip's first form cannot tell; to be called
    /// before the first step. Only where they may be so long: some programs do not read the later form.
    pub fn expect_long_data(&mut self) {
        self.has_long_data = true;
    }

    /// How many files the zip will hold.
    pub fn total(&self) -> usize {
        self.files.len()
    }

    /// How many of them are written.
    pub fn done(&self) -> usize {
        self.file
    }

    /// Writes at most a megabyte, or one tensor where it is larger; false when everything is written.
    ///
    /// # Errors
    /// [`Code::Internal`] if the zip cannot be written.
    pub fn step(&mut self) -> Result<bool> {
        let Some(file) = self.files.get_mut(self.file) else {
            return Ok(false);
        };
        if self.piece == 0 {
            let is_long = self.has_long_data && matches!(file.content, Content::Pieces(_));
            self.zip
                .start_file(file.path.as_str(), options(&file.path, is_long))
                .map_err(|error| failed(&file.path, &error))?;
        }
        match file.content.piece(self.piece)? {
            Some(bytes) => {
                self.zip.write_all(&bytes).map_err(|error| failed(&file.path, &error))?;
                self.piece += 1;
            }
            None => {
                self.file += 1;
                self.piece = 0;
            }
        }
        Ok(true)
    }

    /// The zip's bytes; call it when [`Packing::step`] has returned false.
    ///
    /// # Errors
    /// [`Code::Internal`] if files are still to be written, or the zip cannot be closed.
    pub fn finish(self) -> Result<Vec<u8>> {
        if self.file < self.files.len() {
            return Err(Error::new(
                Code::Internal,
                "The download was closed before all files were in it.",
            ));
        }
        let cursor = self.zip.finish().map_err(|error| failed("the list of files", &error))?;
        Ok(cursor.into_inner())
    }
}

fn failed(path: &str, error: &dyn std::error::Error) -> Error {
    Error::new(
        Code::Internal,
        format!("The download could not be written ({path}): {error}."),
    )
}

/// `is_long`: in a zip's later form (Zip64), for 4 GiB and more.
fn options(path: &str, is_long: bool) -> SimpleFileOptions {
    // Trained weights hardly become smaller; deflating them would only take time.
    let weights = path.ends_with(".safetensors") || path.ends_with(".bin") || path.ends_with(".onnx");
    let method = if weights {
        CompressionMethod::Stored
    } else {
        CompressionMethod::Deflated
    };
    // System, time and rights are fixed, so that the bytes depend on nothing but the files.
    SimpleFileOptions::default()
        .compression_method(method)
        .system(System::Unix)
        .unix_permissions(0o644)
        .last_modified_time(DateTime::DEFAULT)
        .large_file(is_long)
}

impl Content<'_> {
    /// Bytes that are known to come.
    fn least(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Weights(weights) => weights.len(),
            Self::Pieces(_) => 0,
        }
    }

    /// The content's parts, asked for in order; `None` past the last.
    fn piece(&mut self, number: usize) -> Result<Option<Cow<'_, [u8]>>> {
        Ok(match self {
            Self::Bytes(bytes) => bytes.chunks(PIECE).nth(number).map(Into::into),
            Self::Weights(weights) => weights.piece(number),
            Self::Pieces(pieces) => {
                let mut text = String::new();
                while text.len() < PIECE {
                    match pieces.next() {
                        Some(piece) => text += &piece?,
                        None => break,
                    }
                }
                (!text.is_empty()).then(|| Cow::Owned(text.into_bytes()))
            }
        })
    }
}
