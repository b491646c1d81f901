//! Rows of cells as CSV or TSV.

use crate::error::{Code, Error, Result};

/// Text with a row a line, after the header if there is one; cells are quoted where they have to be.
///
/// # Errors
/// [`Code::Internal`]
pub fn written<R>(delimiter: u8, header: Option<&[&str]>, rows: impl Iterator<Item = R>) -> Result<String>
where
    R: IntoIterator<Item: AsRef<[u8]>>,
{
    let defect = |error: &dyn std::fmt::Display| Error::new(Code::Internal, error.to_string());
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    if let Some(header) = header {
        writer.write_record(header).map_err(|error| defect(&error))?;
    }
    for row in rows {
        writer.write_record(row).map_err(|error| defect(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| defect(&error))?;
    String::from_utf8(bytes).map_err(|error| defect(&error))
}
