//! Back from a download to what is needed to go on: the adapter, the report, the texts, the scores and the encoder.
//!
//! Only the list of files, the report and the adapter are read when a download is opened; the data and the encoder's
//! files are inflated when they are asked for.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::io::{BufRead, BufReader, Cursor, Read};

use serde::Deserialize;
use serde_json::Value;
use zip::ZipArchive;
use zip::result::ZipError;

use super::heads::{self, Side};
use super::{peft, router, weights};
use crate::error::{Code, Error, Result};
use crate::input::Text;
use crate::model::ModelInfo;
use crate::relations::Candidate;
use crate::tune::{Adapter, Head};

/// Most bytes that a deflated file may become where it is read whole: far more than any report, tokenizer or
/// configuration has, and a bound for a file that was made to fill the memory.
const LARGEST_WHOLE: u64 = 1 << 30;
/// Most bytes that deflate makes of one. What is read piece by piece has no other bound: a corpus may be of any length.
const LARGEST_RATIO: u64 = 1032;

/// A download that was opened.
#[derive(Debug)]
pub struct Opened<'z> {
    /// `report.json`.
    pub report: Value,
    /// What was trained, delivered or not.
    pub adapter: Adapter,
    zip: ZipArchive<Cursor<&'z [u8]>>,
}

/// What a download was trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// The search log's distinct queries with their counts.
    pub queries: Vec<Text>,
    /// The corpus; counts are 1.
    pub documents: Vec<Text>,
    /// Each query's candidates, nearest first, with the logits of those that were scored.
    pub candidates: Vec<Vec<Candidate>>,
}

/// Opens a download; its data and encoder stay packed.
///
/// # Errors
/// [`Code::Artifact`] if this is no zip, cut short, damaged, or not a download of querytune.
pub fn open(zip: &[u8]) -> Result<Opened<'_>> {
    if !zip.starts_with(b"PK\x03\x04") {
        return Err(Error::new(
            Code::Artifact,
            "This is not a zip file. Give the artifact.zip that querytune saved, as it was saved.",
        ));
    }
    // The list of files is at a zip's end.
    let archive = ZipArchive::new(Cursor::new(zip)).map_err(|error| {
        let text = format!(
            "The zip's list of files cannot be read ({error}); it may have been cut short. Save the download again, \
             or copy it again."
        );
        Error::new(Code::Artifact, text)
    })?;
    let mut opened = Opened {
        report: Value::Null,
        adapter: Adapter::Heads {
            query: Head::identity(0),
            document: None,
        },
        zip: archive,
    };
    let report = opened.require("report.json")?;
    let report: Value = serde_json::from_slice(&report).map_err(|error| damaged("report.json", &error))?;
    if !report.is_object() {
        return Err(damaged("report.json", &"it is no JSON object"));
    }
    opened.report = report;
    opened.adapter = opened.read_adapter()?;
    Ok(opened)
}

impl Opened<'_> {
    /// Whether `model/` is the tuned encoder; otherwise the base encoder was delivered.
    pub fn is_tuned(&self) -> bool {
        let delivered = self.report.pointer("/fit/delivered").and_then(Value::as_str);
        delivered == Some("tuned")
    }

    /// Refuses an encoder that the adapter was not trained on.
    ///
    /// # Errors
    /// [`Code::Artifact`]
    pub fn check_base(&self, encoder: &ModelInfo) -> Result<()> {
        let about = |key: &str| self.report.pointer(&format!("/models/encoder/{key}"))?.as_str();
        let (id, sha256) = (about("id").unwrap_or("an encoder without a name"), about("sha256"));
        if sha256 == Some(&encoder.sha256) {
            return Ok(());
        }
        let text = format!(
            "This download was made with the encoder {id} (SHA-256 of its weights: {}), not with {} ({}). Load {id} \
             to go on from it.",
            sha256.unwrap_or("not known"),
            encoder.id,
            encoder.sha256
        );
        Err(Error::new(Code::Artifact, text))
    }

    /// Queries, documents and scores.
    ///
    /// # Errors
    /// [`Code::Artifact`] if they are missing or damaged.
    pub fn data(&self) -> Result<Data> {
        let queries: Vec<Text> = self.texts("data/beir/queries.jsonl")?;
        let documents: Vec<Text> = self.texts("data/beir/corpus.jsonl")?;
        let candidates = self.candidates(&queries, &documents)?;
        Ok(Data {
            queries,
            documents,
            candidates,
        })
    }

    /// The files of the encoder that texts of a side go through: what is changed or not, before any head.
    ///
    /// For heads, and where the base was delivered, that is the base encoder on both sides; for LoRA for queries the
    /// changed one and the base encoder; for LoRA for both the changed one.
    ///
    /// # Errors
    /// [`Code::Artifact`] if they are missing or damaged.
    pub fn encoder(&self, side: Side) -> Result<BTreeMap<String, Vec<u8>>> {
        let two = self.zip.index_for_name("model/router_config.json").is_some();
        let folder = if two {
            format!("model/{}/", router::folder(side, 0, "Transformer"))
        } else {
            "model/".to_owned()
        };
        let router = self.heads_router()?;
        let names: Vec<String> = self
            .zip
            .file_names()
            .filter_map(|name| Some(name.ok()?.into_owned()))
            .collect();
        let mut files = BTreeMap::new();
        for name in names {
            let Some(path) = name.strip_prefix(&folder).filter(|path| !path.is_empty()) else {
                continue;
            };
            let of_heads = router
                .as_ref()
                .is_some_and(|router| path.starts_with(&format!("{router}/")));
            if of_heads || path == "README.md" || name.ends_with('/') {
                continue;
            }
            let mut bytes = self.require(&name)?;
            if path == "modules.json" {
                bytes = without_router(&bytes).map_err(|error| damaged(&name, &error))?;
            }
            files.insert(path.to_owned(), bytes);
        }
        if !files.contains_key(weights::FILE) {
            return Err(missing(&format!("{folder}{}", weights::FILE)));
        }
        Ok(files)
    }

    /// The folder of the router that holds heads, within `model/`.
    fn heads_router(&self) -> Result<Option<String>> {
        let Some(modules) = self.find("model/modules.json")? else {
            return Ok(None);
        };
        let modules: Vec<Value> =
            serde_json::from_slice(&modules).map_err(|error| damaged("model/modules.json", &error))?;
        let router = modules.iter().find(|module| is_router(module));
        let path = router.and_then(|module| module["path"].as_str());
        Ok(path.filter(|path| !path.is_empty()).map(str::to_owned))
    }

    fn read_adapter(&self) -> Result<Adapter> {
        const CONFIG: &str = "adapter/adapter_config.json";
        if let Some(config) = self.find(CONFIG)? {
            let weights = self.require("adapter/adapter_model.safetensors")?;
            let lora = peft::read(&config, &weights);
            return lora.ok_or_else(|| damaged(CONFIG, &"it and its weights are not what querytune writes"));
        }
        let head = |side: Side| -> Result<Option<(usize, Vec<f32>)>> {
            let path = format!("adapter/{}", side.file_name());
            let Some(file) = self.find(&path)? else { return Ok(None) };
            let head = heads::read_alone(&file);
            head.ok_or_else(|| damaged(&path, &"it holds no square matrix of finite numbers"))
                .map(Some)
        };
        let (dims, query) = head(Side::Query)?.ok_or_else(|| missing("adapter/query_head.safetensors"))?;
        let document = match head(Side::Document)? {
            Some((other, _)) if other != dims => {
                let path = format!("adapter/{}", Side::Document.file_name());
                return Err(damaged(&path, &"it is of another size than the query's"));
            }
            document => document.map(|(dims, weight)| Head { weight, dims }),
        };
        Ok(Adapter::Heads {
            query: Head { weight: query, dims },
            document,
        })
    }

    fn texts(&self, path: &str) -> Result<Vec<Text>> {
        let mut texts = Vec::new();
        self.stream(path, |file, _| {
            for (number, line) in BufReader::new(file).lines().enumerate() {
                let at = |error: &dyn Display| damaged(path, &format!("line {}: {error}", number + 1));
                let line: Line =
                    serde_json::from_str(&line.map_err(|error| at(&error))?).map_err(|error| at(&error))?;
                texts.push(line.into_text());
            }
            Ok(())
        })?;
        Ok(texts)
    }

    fn candidates(&self, queries: &[Text], documents: &[Text]) -> Result<Vec<Vec<Candidate>>> {
        const FILE: &str = "data/scores.tsv";
        fn numbers(texts: &[Text]) -> HashMap<&str, usize> {
            (0..)
                .zip(texts)
                .map(|(number, text)| (text.ids[0].as_str(), number))
                .collect()
        }
        let (query_numbers, document_numbers) = (numbers(queries), numbers(documents));
        let mut candidates = vec![Vec::new(); queries.len()];
        self.stream(FILE, |file, _| {
            let mut rows = csv::ReaderBuilder::new().delimiter(b'\t').from_reader(file);
            for (number, row) in rows.deserialize().enumerate() {
                let at = |error: &dyn Display| damaged(FILE, &format!("row {}: {error}", number + 1));
                let row: Score = row.map_err(|error| at(&error))?;
                let known = query_numbers.get(&*row.query).zip(document_numbers.get(&*row.document));
                let (&query, &document) = known.ok_or_else(|| at(&"its texts are not in data/beir"))?;
                if !row.is_finite() {
                    return Err(at(&"its cosine or logit is no finite number"));
                }
                candidates[query].push(Candidate {
                    document: document as u32,
                    cosine: row.cosine,
                    logit: row.logit,
                });
            }
            Ok(())
        })?;
        Ok(candidates)
    }

    /// A file's bytes.
    fn require(&self, path: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.stream(path, |file, Length { size, is_packed }| {
            if is_packed && size > LARGEST_WHOLE {
                return Err(too_long(path, size));
            }
            let room = usize::try_from(size)
                .ok()
                .filter(|&size| bytes.try_reserve_exact(size).is_ok());
            let room = room.ok_or_else(|| damaged(path, &format!("there is no memory for its {size} bytes")))?;
            file.read_to_end(&mut bytes).map_err(|error| damaged(path, &error))?;
            if bytes.len() == room {
                Ok(())
            } else {
                Err(damaged(path, &"it is not as long as it should be"))
            }
        })?;
        Ok(bytes)
    }

    /// A file's bytes, where it is there.
    fn find(&self, path: &str) -> Result<Option<Vec<u8>>> {
        if self.zip.index_for_name(path).is_none() {
            return Ok(None);
        }
        self.require(path).map(Some)
    }

    /// Hands a file and its length to a reader, never more than is bounded.
    fn stream(&self, path: &str, read: impl FnOnce(&mut dyn Read, Length) -> Result<()>) -> Result<()> {
        // Another reader of the same bytes; the list of files is shared.
        let mut zip = self.zip.clone();
        let file = match zip.by_name(path) {
            Err(ZipError::FileNotFound) => return Err(missing(path)),
            file => file.map_err(|error| damaged(path, &error))?,
        };
        let (size, packed) = (file.size(), file.compressed_size());
        if size > packed.saturating_mul(LARGEST_RATIO) {
            return Err(too_long(path, size));
        }
        // What is stored as it is cannot be larger than the zip.
        let is_packed = packed < size;
        // One more than there should be: the checksum is compared where the file ends.
        read(&mut file.take(size.saturating_add(1)), Length { size, is_packed })
    }
}

/// How long a file in the zip says to be.
struct Length {
    /// In bytes, when it is read.
    size: u64,
    /// Whether it takes less in the zip.
    is_packed: bool,
}

/// A line of BEIR's files.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    text: String,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    count: Option<u32>,
    ids: Vec<String>,
}

impl Line {
    fn into_text(self) -> Text {
        let Self {
            id,
            title,
            text,
            metadata,
        } = self;
        let others = metadata.ids.into_iter().filter(|other| *other != id);
        let others: Vec<String> = others.collect();
        Text {
            ids: std::iter::once(id).chain(others).collect(),
            text: match (title.is_empty(), text.is_empty()) {
                (true, _) => text,
                (false, true) => title.clone(),
                (false, false) => format!("{title} {text}"),
            },
            title: (!title.is_empty()).then_some(title),
            count: metadata.count.unwrap_or(1).max(1),
        }
    }
}

/// A row of `scores.tsv`.
#[derive(Deserialize)]
struct Score {
    #[serde(rename = "query-id")]
    query: String,
    #[serde(rename = "corpus-id")]
    document: String,
    cosine: f32,
    logit: Option<f32>,
}

impl Score {
    /// Whether it is of numbers that a run can have computed: others would be kept, and rank before everything.
    fn is_finite(&self) -> bool {
        self.cosine.is_finite() && self.logit.is_none_or(f32::is_finite)
    }
}

fn is_router(module: &Value) -> bool {
    module["type"].as_str().is_some_and(|kind| kind.ends_with(".Router"))
}

/// `modules.json` as the encoder's own.
fn without_router(modules: &[u8]) -> std::result::Result<Vec<u8>, serde_json::Error> {
    let mut modules: Vec<Value> = serde_json::from_slice(modules)?;
    modules.retain(|module| !is_router(module));
    serde_json::to_vec_pretty(&modules)
}

fn missing(path: &str) -> Error {
    let why = if path.starts_with("data/") {
        "the data may have been taken out of it. To go on from it takes the artifact.zip as it was saved"
    } else {
        "it is not a download of querytune, or of another version. Give an artifact.zip that this version saved"
    };
    Error::new(Code::Artifact, format!("The zip has no {path}: {why}."))
}

fn too_long(path: &str, size: u64) -> Error {
    damaged(path, &format!("its {size} bytes are more than any download has"))
}

fn damaged(path: &str, error: &dyn Display) -> Error {
    let text = format!("{path} in the zip cannot be read ({error}). Save the download again, or copy it again.");
    Error::new(Code::Artifact, text)
}
