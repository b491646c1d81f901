//! The tuner, fits and indexes as JavaScript holds them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Float32Array, Object, Promise, Reflect, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::host::{JsHost, PageHost};
use super::relations::{Hit, Relations, hits};
use super::texts::{Qrels, Texts};
use super::{from_js, load_options, to_js};
use crate::artifact::{self, adapter_files};
use crate::download::{download, per_query};
use crate::error::{Code, Error, Result};
use crate::job::Job;
use crate::judge::{Verdict, judge_fit, judge_previous};
use crate::judging::Judged;
use crate::model::{ModelFiles, ModelSource, TextKind};
use crate::previous::{Previous, SincePrevious};
use crate::report::{report, with_judging};
use crate::synthesize::SynthesizeOptions;
use crate::tune::{Adapted, RecipeOptions};
use crate::vectors::Vectors;
use crate::{relations, tune, tuner};

/// The models.
#[wasm_bindgen]
pub struct Tuner {
    inner: Rc<tuner::Tuner>,
}

/// A trained head with its figures.
#[wasm_bindgen]
pub struct Fit {
    pub(super) inner: Rc<FitState>,
}

pub(super) struct FitState {
    pub(super) tuner: Rc<tuner::Tuner>,
    pub(super) relations: Rc<relations::Relations>,
    fit: tune::Fit,
    verdict: RefCell<Option<Verdict>>,
    /// What the relations go on from, with what is new since then.
    previous: Option<(Rc<Previous>, RefCell<SincePrevious>)>,
    /// What people answered to quick judging.
    pub(super) judged: RefCell<Judged>,
    /// The relations' documents for searching, by the base encoder and by the tuned one; made when first asked for.
    indexes: RefCell<Option<Rc<[tuner::Index; 2]>>>,
}

impl FitState {
    pub(super) fn report(&self) -> serde_json::Value {
        let report = report(
            &self.tuner.info(),
            &self.relations,
            &self.fit,
            self.verdict.borrow().as_ref(),
        );
        let report = match &self.previous {
            Some((_, since)) => since.borrow().add_to(report),
            None => report,
        };
        with_judging(report, &self.judged.borrow())
    }

    /// Files of the download that are made of the fit: judgements and figures, query by query.
    fn data(&self) -> Result<Vec<(String, String)>> {
        let mut files = per_query(&self.relations, &self.fit, self.verdict.borrow().as_ref())?;
        files.extend(
            self.judgements()?
                .map(|judgements| ("judgements.tsv".to_owned(), judgements)),
        );
        Ok(files)
    }

    pub(super) async fn indexes(&self, job: &Job<'_>) -> Result<Rc<[tuner::Index; 2]>> {
        let known = self.indexes.borrow().clone();
        if let Some(indexes) = known {
            return Ok(indexes);
        }
        let index = async |adapted| {
            let (vectors, documents) = (&self.relations.document_vectors, &self.relations.documents);
            tuner::Index::new(vectors.clone(), documents.clone(), adapted, job).await
        };
        let indexes = Rc::new([index(None).await?, index(Some(self.fit.adapted.clone())).await?]);
        self.indexes.replace(Some(indexes.clone()));
        Ok(indexes)
    }
}

/// Documents ready to be searched.
#[wasm_bindgen]
pub struct Index {
    pub(super) tuner: Rc<tuner::Tuner>,
    pub(super) inner: Rc<tuner::Index>,
}

#[derive(Serialize)]
struct BaseAndTuned<'r> {
    base: Vec<Hit<'r>>,
    tuned: Vec<Hit<'r>>,
}

/// A promise of what `work` returns; it owns all it uses.
pub(super) fn promise(host: JsHost, work: impl AsyncFnOnce(&Job<'_>) -> Result<JsValue> + 'static) -> Promise {
    future_to_promise(async move {
        let host = PageHost::from(host);
        let job = Job::new(&host);
        work(&job).await.map_err(JsValue::from)
    })
}

/// Reads `{ id, files: { path: Uint8Array }, sha256: { path: string } }`, leaving nothing behind in JavaScript's memory but the caller's own.
pub(super) fn model_files(value: &JsValue) -> Result<ModelFiles> {
    let wrong = || Error::new(Code::Option, "A model is { id, files: { path: Uint8Array } }.");
    let get = |key: &str| Reflect::get(value, &key.into()).map_err(|_| wrong());
    let id = get("id")?.as_string().ok_or_else(wrong)?;
    let files = get("files")?.dyn_into::<Object>().map_err(|_| wrong())?;
    let mut model = ModelFiles::new(id, Default::default());
    for entry in Object::entries(&files) {
        let entry: js_sys::Array = entry.into();
        let path = entry.get(0).as_string().ok_or_else(wrong)?;
        let bytes = entry.get(1).dyn_into::<Uint8Array>().map_err(|_| wrong())?;
        model.files.insert(path, bytes.to_vec());
    }
    remember_hashes(&mut model, get("sha256")?);
    Ok(model)
}

/// Takes hashes that the caller has computed, `{ path: hexadecimal }`, if there are any.
pub(super) fn remember_hashes(model: &mut ModelFiles, known: JsValue) {
    let Ok(known) = known.dyn_into::<Object>() else { return };
    for entry in Object::entries(&known) {
        let entry: js_sys::Array = entry.into();
        if let (Some(path), Some(sha256)) = (entry.get(0).as_string(), entry.get(1).as_string()) {
            model.remember_sha256(path, sha256);
        }
    }
}

/// A model in JavaScript's memory, of which copies are made as they are needed.
struct HostsModel(JsValue);

impl ModelSource for HostsModel {
    fn files(&self) -> Result<Cow<'_, ModelFiles>> {
        model_files(&self.0).map(Cow::Owned)
    }
}

/// As [`model_files`]; nothing for nothing.
fn files_if_given(value: &JsValue) -> Result<Option<ModelFiles>> {
    if value.is_undefined() {
        return Ok(None);
    }
    model_files(value).map(Some)
}

/// `{ data: Float32Array, dims: [texts, numbers] }`
pub(super) fn embeddings(vectors: &Vectors) -> Result<JsValue> {
    let embedded = Object::new();
    set(&embedded, "data", Float32Array::from(vectors.as_slice()).into());
    set(&embedded, "dims", to_js(&[vectors.len(), vectors.dims()])?);
    Ok(embedded.into())
}

pub(super) fn set(object: &Object, key: &str, value: JsValue) {
    // Setting a property of a fresh object cannot fail.
    let _ = Reflect::set(object, &key.into(), &value);
}

#[wasm_bindgen]
impl Tuner {
    /// Loads the models, the cross-encoder if it is given; resolves to a `Tuner`.
    #[wasm_bindgen(skip_typescript)]
    pub fn load(encoder: JsValue, cross_encoder: JsValue, options: JsValue, host: JsHost) -> Promise {
        promise(host, async move |job| {
            let options = load_options(options)?;
            let cross_encoder = (!cross_encoder.is_undefined()).then_some(HostsModel(cross_encoder));
            let cross_encoder = cross_encoder.as_ref().map(|model| model as &dyn ModelSource);
            let inner = tuner::Tuner::load(&HostsModel(encoder), cross_encoder, options, job).await?;
            Ok(Tuner { inner: Rc::new(inner) }.into())
        })
    }

    /// Which models run where, and why there.
    #[wasm_bindgen(skip_typescript)]
    pub fn info(&self) -> std::result::Result<JsValue, JsValue> {
        Ok(to_js(&self.inner.info())?)
    }

    /// Vectors of texts, queries or documents; resolves to `{ data: Float32Array, dims: [texts, numbers] }`.
    #[wasm_bindgen(skip_typescript)]
    pub fn embed(&self, texts: Vec<String>, kind: String, host: JsHost) -> Promise {
        let tuner = self.inner.clone();
        promise(host, async move |job| {
            let kind = match &kind[..] {
                "query" => TextKind::Query,
                "document" => TextKind::Document,
                other => {
                    let message = format!("kind is {other:?}; it has to be \"query\" or \"document\".");
                    return Err(Error::new(Code::Option, message));
                }
            };
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            embeddings(&tuner.embed(&texts, kind, job).await?)
        })
    }

    /// What another worker's crew asks for; resolves to a `Float32Array`.
    #[wasm_bindgen(skip_typescript)]
    pub fn work(&self, work: JsValue, texts: Vec<String>, host: JsHost) -> Promise {
        let tuner = self.inner.clone();
        promise(host, async move |job| {
            let work = serde_wasm_bindgen::from_value(work)
                .map_err(|error| Error::new(Code::Option, format!("Not something to do: {error}.")))?;
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            Ok(Float32Array::from(&tuner.work(work, &texts, job).await?[..]).into())
        })
    }

    /// Logits of pairs, in the order given: the texts are a query, a document, a query, and so on; resolves to a
    /// `Float32Array`.
    #[wasm_bindgen(skip_typescript)]
    pub fn score(&self, texts: Vec<String>, host: JsHost) -> Promise {
        let tuner = self.inner.clone();
        promise(host, async move |job| {
            let pairs: Vec<(&str, &str)> = texts.as_chunks::<2>().0.iter().map(|[q, d]| (&q[..], &d[..])).collect();
            Ok(Float32Array::from(&tuner.score(&pairs, job).await?[..]).into())
        })
    }

    /// Makes relations; resolves to `Relations`. `previous` are the bytes of an earlier run's download, to go on from.
    #[wasm_bindgen(skip_typescript)]
    pub fn synthesize(
        &self,
        queries: &Texts,
        documents: &Texts,
        options: JsValue,
        previous: Option<Vec<u8>>,
        host: JsHost,
    ) -> Promise {
        let (tuner, queries, documents) = (self.inner.clone(), queries.inner.clone(), documents.inner.clone());
        promise(host, async move |job| {
            let options: SynthesizeOptions = from_js(options)?;
            let previous = previous.map(|zip| tuner.previous(&zip)).transpose()?.map(Rc::new);
            let relations = match &previous {
                Some(previous) => tuner.synthesize_on(previous, queries, documents, options, job).await?,
                None => tuner.synthesize(queries, documents, options, job).await?,
            };
            Ok(Relations {
                inner: Rc::new(relations),
                previous,
            }
            .into())
        })
    }

    /// Trains an adapter; resolves to a `Fit`. `encoder` are the encoder's files as for `load`, which LoRA needs, now or
    /// in an earlier run that the relations go on from.
    #[wasm_bindgen(skip_typescript)]
    pub fn fit(&self, relations: &Relations, options: JsValue, encoder: JsValue, host: JsHost) -> Promise {
        let (tuner, previous, relations) = (self.inner.clone(), relations.previous.clone(), relations.inner.clone());
        promise(host, async move |job| {
            let options: RecipeOptions = from_js(options)?;
            let recipe = options.recipe(relations.queries.items.len())?;
            let files = files_if_given(&encoder)?;
            let fit = tuner.fit(&relations, recipe, files.as_ref(), job).await?;
            let previous = match previous {
                Some(previous) => {
                    let ranker = tuner.ranker(&relations, files.as_ref());
                    let since = previous.compare(&relations, &fit, &ranker, job).await?;
                    Some((previous, RefCell::new(since)))
                }
                None => None,
            };
            let state = FitState {
                tuner,
                relations,
                fit,
                verdict: RefCell::default(),
                previous,
                judged: RefCell::default(),
                indexes: RefCell::default(),
            };
            Ok(Fit { inner: Rc::new(state) }.into())
        })
    }

    /// Holds a fit against judgements of the log's own queries; resolves to the verdict, which the fit's report then
    /// has too.
    #[wasm_bindgen(skip_typescript)]
    pub fn evaluate(&self, fit: &Fit, qrels: &Qrels, encoder: JsValue, host: JsHost) -> Promise {
        evaluate(fit.inner.clone(), qrels.inner.clone(), None, encoder, host)
    }

    /// The same for judgements of other queries.
    #[wasm_bindgen(js_name = evaluateOn, skip_typescript)]
    pub fn evaluate_on(&self, fit: &Fit, qrels: &Qrels, queries: &Texts, encoder: JsValue, host: JsHost) -> Promise {
        let queries = Some(queries.inner.clone());
        evaluate(fit.inner.clone(), qrels.inner.clone(), queries, encoder, host)
    }

    /// Searches the relations' documents; resolves to `{ base, tuned }`, hits best first.
    #[wasm_bindgen(skip_typescript)]
    pub fn search(&self, fit: &Fit, query: String, top: usize, host: JsHost) -> Promise {
        let (tuner, state) = (self.inner.clone(), fit.inner.clone());
        promise(host, async move |job| {
            let [base, tuned] = &*state.indexes(job).await?;
            let documents = base.documents();
            to_js(&BaseAndTuned {
                base: hits(documents, &tuner.search(base, &query, top, job).await?),
                tuned: hits(documents, &tuner.search(tuned, &query, top, job).await?),
            })
        })
    }

    /// Encodes documents for searching with the base encoder; resolves to an `Index`.
    #[wasm_bindgen(skip_typescript)]
    pub fn index(&self, documents: &Texts, host: JsHost) -> Promise {
        index(self.inner.clone(), documents.inner.clone(), None, host)
    }

    /// Encodes documents for searching with a fit's adapter; resolves to an `Index`.
    #[wasm_bindgen(js_name = indexTuned, skip_typescript)]
    pub fn index_tuned(&self, documents: &Texts, fit: &Fit, host: JsHost) -> Promise {
        index(
            self.inner.clone(),
            documents.inner.clone(),
            Some(fit.inner.fit.adapted.clone()),
            host,
        )
    }
}

fn evaluate(
    state: Rc<FitState>,
    qrels: Rc<crate::input::Qrels>,
    queries: Option<Rc<crate::input::Texts>>,
    encoder: JsValue,
    host: JsHost,
) -> Promise {
    promise(host, async move |job| {
        let files = files_if_given(&encoder)?;
        let FitState {
            tuner, relations, fit, ..
        } = &*state;
        let verdict = judge_fit(tuner, relations, fit, &qrels, queries, files.as_ref(), job).await?;
        if let Some((previous, since)) = &state.previous {
            let (files, seed) = (files.as_ref(), fit.recipe.seed);
            let judged = judge_previous(previous, tuner, relations, &verdict, &qrels, files, seed, job).await?;
            since.borrow_mut().judged = Some(judged);
        }
        let shown = to_js(&verdict)?;
        state.verdict.replace(Some(verdict));
        Ok(shown)
    })
}

fn index(
    tuner: Rc<tuner::Tuner>,
    documents: Rc<crate::input::Texts>,
    adapted: Option<Rc<Adapted>>,
    host: JsHost,
) -> Promise {
    promise(host, async move |job| {
        let inner = Rc::new(tuner.index(documents, adapted, job).await?);
        Ok(Index { tuner, inner }.into())
    })
}

#[wasm_bindgen]
impl Fit {
    /// `report.json`.
    #[wasm_bindgen(skip_typescript)]
    pub fn report(&self) -> std::result::Result<JsValue, JsValue> {
        Ok(to_js(&self.inner.report())?)
    }

    /// The weights of the adapter's first file: the query head, or LoRA's matrices as PEFT has them.
    #[wasm_bindgen(skip_typescript)]
    pub fn adapter(&self) -> std::result::Result<Uint8Array, JsValue> {
        let state = &self.inner;
        let files = adapter_files(&artifact::Adapter::from(state.fit.adapter()), &state.report())?;
        let weights = files.into_iter().find(|(name, _)| name.ends_with(".safetensors"));
        let (_, bytes) = weights.ok_or_else(|| Error::new(Code::Internal, "The adapter has no weights."))?;
        Ok(Uint8Array::from(&bytes[..]))
    }

    /// All of the adapter's files: `[{ name, bytes }]`.
    #[wasm_bindgen(js_name = adapterFiles, skip_typescript)]
    pub fn adapter_files(&self) -> std::result::Result<js_sys::Array, JsValue> {
        let state = &self.inner;
        let files = adapter_files(&artifact::Adapter::from(state.fit.adapter()), &state.report())?;
        let file = |(name, bytes): (String, Vec<u8>)| {
            let file = Object::new();
            set(&file, "name", name.into());
            set(&file, "bytes", Uint8Array::from(&bytes[..]).into());
            file
        };
        Ok(files.into_iter().map(file).collect())
    }

    /// A table of the queries, `agreement` or `judged`, as CSV.
    #[wasm_bindgen(js_name = perQueryCsv, skip_typescript)]
    pub fn per_query_csv(&self, kind: &str) -> std::result::Result<String, JsValue> {
        let files = per_query(
            &self.inner.relations,
            &self.inner.fit,
            self.inner.verdict.borrow().as_ref(),
        )?;
        let name = format!("per-query-{kind}.csv");
        let file = files.into_iter().find(|(file, _)| *file == name);
        let (_, text) = file.ok_or_else(|| {
            let text = format!(
                "There are no figures of the kind \"{kind}\": \"agreement\" needs queries enough to leave some out, \
                 \"judged\" an evaluation with judgements before it."
            );
            Error::new(Code::Option, text)
        })?;
        Ok(text)
    }

    /// The download; resolves to a zip's bytes.
    #[wasm_bindgen(skip_typescript)]
    pub fn artifact(&self, encoder: JsValue, host: JsHost) -> Promise {
        let state = self.inner.clone();
        promise(host, async move |job| {
            let encoder = model_files(&encoder)?;
            let (report, more) = (state.report(), state.data()?);
            let zip = download(&report, &state.relations, &state.fit, &encoder.files, more, job).await?;
            Ok(Uint8Array::from(&zip[..]).into())
        })
    }
}

#[wasm_bindgen]
impl Index {
    /// The nearest documents; resolves to hits, best first.
    #[wasm_bindgen(skip_typescript)]
    pub fn search(&self, query: String, top: usize, host: JsHost) -> Promise {
        let (tuner, index) = (self.tuner.clone(), self.inner.clone());
        promise(host, async move |job| {
            let found = tuner.search(&index, &query, top, job).await?;
            to_js(&hits(index.documents(), &found))
        })
    }

    /// How many documents there are.
    #[wasm_bindgen(getter, skip_typescript)]
    pub fn length(&self) -> usize {
        self.inner.documents().items.len()
    }
}
