//! A download gives back what was put into it; what is not one, or not whole, is refused with advice.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use crate::common::small_relations;
use querytune::artifact::{self, Artifact, Delivered, Side, adapter_files, merged_weights, open};
use querytune::data_set::{in_one_piece, whole};
use querytune::download::data;
use querytune::model::{Lora, LoraLayer, ModelInfo};
use querytune::tune::{Adapter, Head};
use querytune::{Code, Error};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

const MODULE: &str = "encoder.layer.0.attention.self.query";

fn base() -> BTreeMap<String, Vec<u8>> {
    let weight: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let weight = TensorView::new(Dtype::F32, vec![2, 2], &weight).unwrap();
    let weights = safetensors::serialize([(format!("{MODULE}.weight"), weight)], None).unwrap();
    let types = ["Transformer", "Pooling", "Normalize"];
    let modules: Vec<Value> = (0..)
        .zip(types)
        .map(|(n, name)| {
            let path = if n == 0 { String::new() } else { format!("{n}_{name}") };
            json!({ "idx": n, "name": n.to_string(), "path": path, "type": format!("sentence_transformers.models.{name}") })
        })
        .collect();
    BTreeMap::from([
        ("config.json".into(), b"{\"hidden_size\": 2}".to_vec()),
        ("tokenizer.json".into(), b"{ }".to_vec()),
        ("1_Pooling/config.json".into(), b"{}".to_vec()),
        ("modules.json".into(), json!(modules).to_string().into_bytes()),
        ("model.safetensors".into(), weights),
    ])
}

fn heads(document: Option<Vec<f32>>) -> Adapter {
    let head = |weight| Head { weight, dims: 2 };
    Adapter::Heads {
        query: head(vec![0.125, 0.3, -0.7, -0.25]),
        document: document.map(head),
    }
}

fn changes() -> Lora {
    let layer = |module: &str, a: &[f32], b: &[f32]| LoraLayer {
        module: module.to_owned(),
        inputs: 2,
        outputs: 2,
        a: a.to_vec(),
        b: b.to_vec(),
    };
    Lora {
        rank: 1,
        alpha: 1.5,
        layers: vec![layer(MODULE, &[0.1, 0.2], &[0.3, 0.4])],
    }
}

fn lora(documents: bool) -> Adapter {
    Adapter::Lora {
        lora: changes(),
        documents,
    }
}

fn adapters() -> [Adapter; 4] {
    [
        heads(None),
        heads(Some(vec![0.5, 0.1, 0.2, 0.75])),
        lora(false),
        lora(true),
    ]
}

fn report() -> Value {
    json!({ "models": { "encoder": { "id": "owner/encoder", "sha256": "00ff" } }, "fit": { "delivered": "tuned" } })
}

fn packed(adapter: &Adapter, delivered: Delivered) -> Vec<u8> {
    let (base, report, relations) = (base(), report(), small_relations());
    let artifact = Artifact {
        base: &base,
        adapter: adapter.into(),
        delivered,
        report: &report,
        data: data(&relations),
    };
    artifact.to_zip().unwrap()
}

fn refused<T: std::fmt::Debug>(result: querytune::Result<T>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.code(), Code::Artifact, "{error}");
    error
}

#[test]
fn every_adapter_and_the_report_come_back_delivered_or_not() {
    for adapter in adapters() {
        for delivered in [Delivered::Tuned, Delivered::Base] {
            let zip = packed(&adapter, delivered);
            let opened = open(&zip).unwrap();
            assert_eq!(opened.adapter, adapter);
            assert_eq!(opened.report, report());
            assert!(opened.is_tuned());
        }
    }
}

#[test]
fn an_adapter_that_came_back_is_saved_as_the_same_bytes() {
    let mut random = fastrand::Rng::with_seed(3);
    let adapter = Adapter::Heads {
        query: Head {
            weight: (0..64).map(|_| (random.f32() - 0.5) * 0.1).collect(),
            dims: 8,
        },
        document: None,
    };
    let files = adapter_files(&(&adapter).into(), &report()).unwrap();
    let zip = packed(&adapter, Delivered::Base);
    let opened = open(&zip).unwrap();
    assert_eq!(adapter_files(&(&opened.adapter).into(), &report()).unwrap(), files);
}

#[test]
fn texts_counts_and_scores_come_back_whatever_is_in_them() {
    let zip = packed(&heads(None), Delivered::Tuned);
    let data = open(&zip).unwrap().data().unwrap();
    let relations = small_relations();
    assert_eq!(data.queries, relations.queries.items);
    assert_eq!(data.candidates, relations.candidates);
    let counts: Vec<u32> = data.queries.iter().map(|query| query.count).collect();
    assert_eq!(counts, [9, 1, 3], "equal queries are one, with the sum of their counts");
    assert_eq!(data.queries[0].ids, ["q1", "q3"]);
    assert_eq!(data.documents.len(), relations.documents.items.len());
    for (found, expected) in data.documents.iter().zip(&relations.documents.items) {
        assert_eq!(
            (&found.ids, &found.title, &found.text),
            (&expected.ids, &expected.title, &expected.text)
        );
    }
}

#[test]
fn beir_has_title_and_text_apart() {
    let corpus = whole(small_relations().beir_corpus()).unwrap();
    let rows: Vec<Value> = corpus.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        rows[0],
        json!({ "_id": "d1", "title": "Cable", "text": "USB-C to HDMI,\n2 m", "metadata": { "ids": ["d1"] } })
    );
    assert_eq!(
        (&rows[2]["title"], &rows[2]["text"]),
        (&json!("Title alone"), &json!(""))
    );
    assert_eq!(
        (&rows[1]["title"], &rows[1]["metadata"]["ids"]),
        (&json!(""), &json!(["d\"2", "d4"]))
    );
}

#[test]
fn beir_judges_the_best_document_of_each_query_that_has_scores() {
    let relations = small_relations();
    let qrels = whole(relations.beir_qrels()).unwrap();
    let mut rows = qrels.lines();
    assert_eq!(rows.next(), Some("query-id\tcorpus-id\tscore"));
    let scored: Vec<usize> = (0..relations.candidates.len())
        .filter(|&query| {
            relations.candidates[query]
                .iter()
                .any(|candidate| candidate.logit.is_some())
        })
        .collect();
    let rows: Vec<&str> = rows.collect();
    assert_eq!(rows.len(), scored.len());
    for (row, query) in rows.iter().zip(scored) {
        let best = (relations.candidates[query].iter())
            .filter(|candidate| candidate.logit.is_some())
            .max_by(|a, b| a.logit.partial_cmp(&b.logit).unwrap())
            .unwrap();
        let id = &relations.documents.items[best.document as usize].ids[0];
        assert!(
            row.contains(id.trim_matches('"')) || row.contains(&id.replace('"', "\"\"")),
            "{row}: {id}"
        );
        assert!(row.ends_with("\t1"), "{row}");
    }
}

#[test]
fn heads_come_with_the_base_encoder_on_both_sides() {
    for adapter in &adapters()[..2] {
        let zip = packed(adapter, Delivered::Tuned);
        let opened = open(&zip).unwrap();
        for side in [Side::Query, Side::Document] {
            let files = opened.encoder(side).unwrap();
            let mut names: Vec<&str> = files.keys().map(String::as_str).collect();
            names.retain(|name| *name != "config_sentence_transformers.json");
            assert_eq!(names, base().keys().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(files["model.safetensors"], base()["model.safetensors"]);
            let modules: Value = serde_json::from_slice(&files["modules.json"]).unwrap();
            assert_eq!(
                modules,
                serde_json::from_slice::<Value>(&base()["modules.json"]).unwrap()
            );
        }
    }
}

#[test]
fn lora_comes_with_the_encoder_of_each_side() {
    let merged = merged_weights(&base(), &artifact::Lora::new(&changes(), false)).unwrap();
    assert_ne!(merged, base()["model.safetensors"]);
    let weights = |documents: bool, delivered, side| {
        let adapter = lora(documents);
        let zip = packed(&adapter, delivered);
        let mut files = open(&zip).unwrap().encoder(side).unwrap();
        assert!(
            ["modules.json", "tokenizer.json", "1_Pooling/config.json"]
                .iter()
                .all(|path| files.contains_key(*path))
        );
        files.remove("model.safetensors").unwrap()
    };
    assert_eq!(weights(false, Delivered::Tuned, Side::Query), merged);
    assert_eq!(
        weights(false, Delivered::Tuned, Side::Document),
        base()["model.safetensors"]
    );
    assert_eq!(weights(true, Delivered::Tuned, Side::Query), merged);
    assert_eq!(weights(true, Delivered::Tuned, Side::Document), merged);
    assert_eq!(weights(true, Delivered::Base, Side::Query), base()["model.safetensors"]);
}

#[test]
fn another_base_model_is_refused_with_both_names() {
    let zip = packed(&heads(None), Delivered::Tuned);
    let opened = open(&zip).unwrap();
    let mut info = ModelInfo {
        id: "somebody/else".into(),
        sha256: "00ff".into(),
        layers: 6,
        dims: 2,
        max_length: 256,
    };
    opened.check_base(&info).unwrap();
    info.sha256 = "ee".into();
    let error = refused(opened.check_base(&info));
    for part in ["owner/encoder", "00ff", "somebody/else", "Load owner/encoder"] {
        assert!(error.message().contains(part), "{error}");
    }
}

fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn what_is_no_download_is_refused_with_advice() {
    let cases: [(&[u8], &str); 5] = [
        (b"", "not a zip file"),
        (b"query,count\na,1\n", "not a zip file"),
        (&zip_of(&[("word/document.xml", b"<x/>")]), "has no report.json"),
        (
            &zip_of(&[("report.json", b"{}")]),
            "has no adapter/query_head.safetensors",
        ),
        (
            &zip_of(&[("report.json", b"[1")]),
            "report.json in the zip cannot be read",
        ),
    ];
    for (bytes, what) in cases {
        let error = refused(open(bytes));
        assert!(error.message().contains(what), "{error}");
        assert!(
            error.message().contains("Give ") || error.message().contains("Save "),
            "{error}"
        );
    }
}

#[test]
fn a_download_cut_short_anywhere_is_refused() {
    let zip = packed(&lora(false), Delivered::Tuned);
    for length in (4..zip.len()).step_by(97).chain([zip.len() - 1]) {
        let error = refused(open(&zip[..length]));
        assert!(error.message().contains("cut short"), "{length}: {error}");
    }
}

/// Where a file's bytes begin in a zip.
fn start_of(zip: &[u8], path: &str) -> usize {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let file = archive.by_name(path).unwrap();
    file.data_start().expect("a start") as usize
}

#[test]
fn a_changed_byte_is_noticed_where_it_is_read() {
    let whole = packed(&heads(None), Delivered::Tuned);
    let changed = |path: &str| {
        let mut zip = whole.clone();
        zip[start_of(&whole, path) + 40] ^= 1;
        zip
    };
    for path in ["adapter/query_head.safetensors", "report.json"] {
        let error = refused(open(&changed(path)));
        assert!(error.message().contains(path), "{error}");
    }
    for path in ["data/scores.tsv", "data/beir/queries.jsonl", "data/beir/corpus.jsonl"] {
        let zip = changed(path);
        let error = refused(open(&zip).expect("it opens").data());
        assert!(error.message().contains(path), "{error}");
    }
    let zip = changed("model/model.safetensors");
    let opened = open(&zip).expect("it opens");
    opened.data().expect("data are whole");
    let error = refused(opened.encoder(Side::Query));
    assert!(error.message().contains("model/model.safetensors"), "{error}");
}

#[test]
fn no_change_of_bytes_makes_it_panic() {
    let whole = packed(&lora(false), Delivered::Tuned);
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..3000 {
        let mut zip = whole.clone();
        for _ in 0..random.usize(1..4) {
            zip[random.usize(..whole.len())] = random.u8(..);
        }
        let result = open(&zip).and_then(|opened| {
            opened.data()?;
            opened.encoder(Side::Query)
        });
        if let Err(error) = result {
            assert_eq!(error.code(), Code::Artifact, "{error}");
        }
    }
}

/// The zip with another length for a file in its list of files.
fn claiming(mut zip: Vec<u8>, path: &str, size: u32) -> Vec<u8> {
    // The size stands 22 bytes before the name.
    let name = path.as_bytes();
    let place = (0..zip.len()).rfind(|&at| zip[at..].starts_with(name)).unwrap() - 22;
    zip[place..place + 4].copy_from_slice(&size.to_le_bytes());
    zip
}

#[test]
fn a_file_that_claims_more_than_fits_is_not_inflated() {
    let zip = claiming(packed(&heads(None), Delivered::Tuned), "report.json", 0xF000_0000);
    let error = refused(open(&zip));
    assert!(error.message().contains("more than any download has"), "{error}");
}

#[test]
fn data_that_claim_more_than_deflate_can_pack_are_not_inflated() {
    for path in ["data/beir/queries.jsonl", "data/beir/corpus.jsonl", "data/scores.tsv"] {
        let zip = claiming(packed(&heads(None), Delivered::Tuned), path, 1 << 20);
        let error = refused(open(&zip).expect("it opens").data());
        assert!(error.message().contains(path), "{error}");
        assert!(error.message().contains("more than any download has"), "{error}");
    }
}

#[test]
fn data_of_more_than_a_gibibyte_are_read() {
    // Letters without sense take about as much room in the zip as 1.5 GiB of texts that are all the same. It is their
    // length alone that is checked beforehand, so that it may be made up.
    let mut random = fastrand::Rng::with_seed(5);
    let mut letters = || -> String { (0..1 << 16).map(|_| random.alphanumeric()).collect() };
    let document = |number: usize, text: &str| format!("{{\"_id\":\"d{number}\",\"text\":\"{text}\"}}\n");
    let corpus: String = (0..40).map(|number| document(number, &letters())).collect();
    let zip = with_data(&[
        ("beir/corpus.jsonl", &corpus),
        (
            "scores.tsv",
            "query-id\tcorpus-id\trank\tcosine\tlogit\nq1\td39\t1\t0.5\t1\n",
        ),
    ]);
    let zip = claiming(zip, "data/beir/corpus.jsonl", 3 << 29);
    let data = open(&zip).unwrap().data().unwrap();
    assert_eq!(data.documents.len(), 40);
    assert_eq!(data.candidates[0][0].document, 39);
}

/// A download with other data.
fn with_data(other: &[(&str, &str)]) -> Vec<u8> {
    let (base, report, relations) = (base(), report(), small_relations());
    let mut data = data(&relations);
    data.retain(|(name, _)| other.iter().all(|(path, _)| path != name));
    let others = other.iter();
    data.extend(others.map(|(path, text)| ((*path).to_owned(), in_one_piece((*text).to_owned()))));
    let adapter = heads(None);
    let artifact = Artifact {
        base: &base,
        adapter: (&adapter).into(),
        delivered: Delivered::Tuned,
        report: &report,
        data,
    };
    artifact.to_zip().unwrap()
}

#[test]
fn data_that_contradict_themselves_are_refused() {
    let header = "query-id\tcorpus-id\trank\tcosine\tlogit\n";
    for (path, text, what) in [
        (
            "scores.tsv",
            format!("{header}q1\tnobody\t1\t0.5\t1\n"),
            "row 1: its texts are not in data/beir",
        ),
        ("scores.tsv", format!("{header}q1\td1\t1\tmuch\t1\n"), "row 1"),
        (
            "scores.tsv",
            format!("{header}q1\td1\t1\t0.5\t1\nq1\td3\t2\tNaN\t1\n"),
            "row 2: its cosine or logit is no finite number",
        ),
        (
            "scores.tsv",
            format!("{header}q1\td1\t1\t0.5\t-inf\n"),
            "row 1: its cosine or logit is no finite number",
        ),
        (
            "scores.tsv",
            format!("{header}q1\td1\t1\t0.5\t1e39\n"),
            "row 1: its cosine or logit is no finite number",
        ),
        ("beir/queries.jsonl", "{\"_id\":\"q1\"}\n".into(), "line 1"),
        (
            "beir/corpus.jsonl",
            "{\"_id\":\"d1\",\"text\":\"a\"}\n[]\n".into(),
            "line 2",
        ),
    ] {
        let zip = with_data(&[(path, &text)]);
        let error = refused(open(&zip).unwrap().data());
        assert!(
            error.message().contains(path) && error.message().contains(what),
            "{error}"
        );
    }
}

#[test]
fn an_adapter_that_is_not_ours_is_refused() {
    let lora = adapter_files(&(&lora(false)).into(), &report()).unwrap();
    let head = adapter_files(&(&heads(None)).into(), &report()).unwrap();
    let (weights, config) = (&lora[1].1, &lora[0].1);
    let wide = config.as_slice();
    let other_rank = String::from_utf8(wide.to_vec())
        .unwrap()
        .replace("\"r\": 1", "\"r\": 2");
    let file = |name, bytes| (name, bytes);
    for files in [
        [
            file("adapter/adapter_config.json", other_rank.as_bytes()),
            file("adapter/adapter_model.safetensors", weights),
        ],
        [
            file("adapter/adapter_config.json", b"{}"),
            file("adapter/adapter_model.safetensors", weights),
        ],
        [
            file("adapter/adapter_config.json", wide),
            file("adapter/adapter_model.safetensors", &head[0].1),
        ],
        [file("adapter/adapter_config.json", wide), file("adapter/other", b"")],
        [
            file("adapter/query_head.safetensors", weights),
            file("adapter/other", b""),
        ],
        [
            file("adapter/query_head.safetensors", &head[0].1),
            file("adapter/document_head.safetensors", b"short"),
        ],
    ] {
        let names = files.map(|(name, _)| name);
        let zip = zip_of(&[("report.json", b"{}"), files[0], files[1]]);
        let error = refused(open(&zip));
        assert!(error.message().contains("adapter/"), "{names:?}: {error}");
    }
}

#[test]
fn of_a_download_without_its_data_the_model_can_be_had_and_the_rest_is_said_to_be_taken_out() {
    let whole = packed(&heads(None), Delivered::Tuned);
    let mut archive = zip::ZipArchive::new(Cursor::new(whole)).unwrap();
    let mut smaller = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..archive.len() {
        let file = archive.by_index_raw(number).unwrap();
        if !file.name().unwrap().starts_with("data/") {
            smaller.raw_copy_file(file).unwrap();
        }
    }
    let smaller = smaller.finish().unwrap().into_inner();
    let opened = open(&smaller).unwrap();
    opened.encoder(Side::Query).unwrap();
    let error = refused(opened.data());
    assert!(error.message().contains("taken out"), "{error}");
}
