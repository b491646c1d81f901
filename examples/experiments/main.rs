//! What adaptation brings, measured by the product's own code; `npm run experiments` runs this.
//!
//! ```text
//! experiments --models DIR --store DIR --results FILE [--data DIR] [--only TEXT]... [--slice] [--save-logits]
//!     [--webgpu [--cpu-documents]]
//! ```
//!
//! Vectors and logits are kept in `--store`, finished cases in `--results` (a JSON line each): a stopped run goes on.
//! `--save-logits` writes SciFact's logits, as far as the store has them, into a file of the repository, and runs nothing;
//! where that file is there, its pairs are not scored again.
//! `--webgpu`, in a build with the feature, computes on the machine's graphics adapter; logits that the CPU has made are
//! taken over, as scoring is what takes hours in software; `--cpu-documents` takes over its vectors of documents, too.
//! `--only` runs the cases whose names hold one of the texts; `--slice` runs a part of SciFact, to see that all of it works.
//! SciFact is in the repository; `--data` names a folder with the other sets (`stackfaq`, `chorus-electronics`), and
//! without it their cases are left out.

mod cases;
mod curve;
mod data;
mod devices;
mod host;
mod logits;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use cases::{Case, Log, Teacher};
use data::{Data, Set, only};
use host::{Terminal, block_on};
use querytune::device::{DevicePreference, DtypePreference};
use querytune::job::Job;
use querytune::judge::judge_fit;
use querytune::model::{ModelFiles, TextKind};
use querytune::relations::Relations;
use querytune::synthesize::{SynthesizeOptions, encode_texts};
use querytune::tuner::{LoadOptions, Tuner};
use serde_json::{Value, json};

struct Arguments {
    models: PathBuf,
    store: PathBuf,
    results: PathBuf,
    data: Option<PathBuf>,
    only: Vec<String>,
    slice: bool,
    is_saving: bool,
    is_on_webgpu: bool,
    has_cpu_documents: bool,
}

fn arguments() -> Arguments {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = if ["--slice", "--save-logits", "--webgpu", "--cpu-documents"].contains(&&name[..]) {
            Some(String::new())
        } else {
            given.next()
        };
        let value = value.unwrap_or_else(|| panic!("{name} needs a value"));
        values.entry(name).or_default().push(value);
    }
    let mut path = |name: &str| values.remove(name).and_then(|mut all| all.pop()).map(PathBuf::from);
    let (models, store, results) = (path("--models"), path("--store"), path("--results"));
    let data = path("--data");
    let slice = path("--slice").is_some();
    let is_saving = path("--save-logits").is_some();
    let is_on_webgpu = path("--webgpu").is_some();
    let has_cpu_documents = path("--cpu-documents").is_some();
    let only = values.remove("--only").unwrap_or_default();
    if let Some(unknown) = values.keys().next() {
        panic!("{unknown} is not known");
    }
    Arguments {
        models: models.expect("--models is needed"),
        store: store.expect("--store is needed"),
        results: results.expect("--results is needed"),
        data,
        only,
        slice,
        is_saving,
        is_on_webgpu,
        has_cpu_documents,
    }
}

/// The files of a model's folder.
fn model(folder: &Path) -> ModelFiles {
    fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("a folder's entry").path();
            let name = format!("{prefix}{}", path.file_name().expect("a name").to_string_lossy());
            if path.is_dir() {
                collect(&path, &format!("{name}/"), files);
            } else {
                files.insert(name, std::fs::read(&path).expect("a readable file"));
            }
        }
    }
    let mut files = BTreeMap::new();
    collect(folder, "", &mut files);
    ModelFiles::new(folder.file_name().expect("a name").to_string_lossy(), files)
}

fn texts(texts: &querytune::input::Texts) -> Vec<&str> {
    texts.items.iter().map(|text| text.text.as_str()).collect()
}

/// The models, and what they are asked about.
struct Bench {
    tuner: Tuner,
    host: Terminal,
    /// Where the tuner runs elsewhere: the CPU, whose logits are taken over.
    cpu: Option<Cpu>,
    encoder: ModelFiles,
    sets: BTreeMap<String, Set>,
    slice: bool,
}

/// The same models on the CPU.
struct Cpu {
    tuner: Tuner,
    host: Terminal,
    /// Whether its vectors of documents are taken over, too.
    has_documents: bool,
}

impl Bench {
    /// The part of a set's log that a case uses.
    fn log(&self, set: &Set, case: &Case, seed: u64) -> Rc<querytune::input::Texts> {
        match case.log {
            Log::Whole => set.log.clone(),
            Log::WithoutTwins(cosine) => self.without_twins(set, cosine),
            Log::Part(size) => {
                let mut numbers: Vec<usize> = (0..set.log.items.len()).collect();
                fastrand::Rng::with_seed(1000 + seed).shuffle(&mut numbers);
                let chosen: BTreeSet<usize> = numbers.into_iter().take(size).collect();
                only(&set.log, |number, _| chosen.contains(&number))
            }
        }
    }

    fn without_twins(&self, set: &Set, cosine: f32) -> Rc<querytune::input::Texts> {
        let Some(test) = &set.test else { return set.log.clone() };
        let (log, test) = (texts(&set.log), texts(test));
        let sides = [(&log[..], TextKind::Query), (&test[..], TextKind::Query)];
        let job = Job::new(&self.host);
        let (vectors, _) = block_on(encode_texts(self.tuner.encoder(), &sides, &job)).expect("vectors");
        let near = |query: usize| {
            let dot = |other: usize| -> f32 {
                let rows = vectors[0].row(query).iter().zip(vectors[1].row(other));
                rows.map(|(a, b)| a * b).sum()
            };
            (0..vectors[1].len()).any(|other| dot(other) >= cosine)
        };
        only(&set.log, |number, _| !near(number))
    }

    fn relations(&self, set: &Set, case: &Case, seed: u64) -> Relations {
        let options = SynthesizeOptions {
            depth: if self.slice { 5 } else { case.synthesize.depth },
            ..case.synthesize
        };
        let log = self.log(set, case, seed);
        let job = Job::new(&self.host);
        if let Some(cpu) = &self.cpu {
            let (from, to) = ((&cpu.tuner, &Job::new(&cpu.host)), (&self.tuner, &job));
            logits::take_over(set, options.depth, from, to);
            if cpu.has_documents {
                devices::take_over_documents(set, from, to);
            }
        }
        let mut relations =
            block_on(self.tuner.synthesize(log, set.documents.clone(), options, &job)).expect("relations");
        let mut random = fastrand::Rng::with_seed(seed);
        for candidates in &mut relations.candidates {
            let scored = candidates.iter_mut().filter_map(|candidate| candidate.logit.as_mut());
            let mut logits: Vec<f32> = scored.map(|logit| *logit).collect();
            match case.teacher {
                Teacher::Honest => {}
                Teacher::Permuted => random.shuffle(&mut logits),
                Teacher::Inverted => logits.iter_mut().for_each(|logit| *logit = -*logit),
            }
            let scored = candidates.iter_mut().filter_map(|candidate| candidate.logit.as_mut());
            scored.zip(logits).for_each(|(logit, new)| *logit = new);
        }
        relations
    }

    /// One case with one seed.
    fn run(&self, case: &Case, seed: u64) -> Value {
        let set = &self.sets[case.set];
        let relations = self.relations(set, case, seed);
        let mut options = case.options.clone();
        options.seed = seed;
        if self.slice {
            options.epochs = Some(2);
        }
        let recipe = options.recipe(relations.queries.items.len()).expect("a recipe");
        let job = Job::new(&self.host);
        let started = Instant::now();
        if !case.is_selected {
            let curve = curve::curve(&self.tuner, &self.encoder, &relations, &recipe, set, &job);
            return json!({
                "case": case.name,
                "group": case.group,
                "set": case.set,
                "seed": seed,
                "queries": relations.queries.items.len(),
                "depth": relations.depth,
                "recipe": recipe,
                "curve": curve,
                "fitSeconds": started.elapsed().as_secs_f64().round(),
            });
        }
        let fit = block_on(self.tuner.fit(&relations, recipe, Some(&self.encoder), &job)).expect("a fit");
        let seconds = started.elapsed().as_secs_f64();
        let verdict = block_on(judge_fit(
            &self.tuner,
            &relations,
            &fit,
            &set.qrels,
            set.test.clone(),
            Some(&self.encoder),
            &job,
        ))
        .expect("a verdict");
        let beside_cpu = self.cpu.as_ref().map(|cpu| {
            let (one, other) = ((&cpu.tuner, &Job::new(&cpu.host)), (&self.tuner, &job));
            let smallest = |of, kind| devices::smallest_cosine(of, kind, one, other);
            // What was taken over is the same.
            let of_documents = (!cpu.has_documents).then(|| smallest(&set.documents, TextKind::Document));
            json!({
                "smallestCosines": { "queries": smallest(&set.log, TextKind::Query), "documents": of_documents },
                "documentsOfCpu": cpu.has_documents,
            })
        });
        json!({
            "case": case.name,
            "group": case.group,
            "set": case.set,
            "seed": seed,
            "device": self.tuner.info().device,
            "besideCpu": beside_cpu,
            "queries": relations.queries.items.len(),
            "depth": relations.depth,
            "bm25": relations.bm25,
            "recipe": fit.recipe,
            "epoch": fit.adapter_epoch,
            "delivered": fit.delivered,
            "random": fit.random,
            "grouped": fit.grouped,
            "judged": verdict.judged,
            "figures": verdict.figures,
            "fitSeconds": (seconds * 10.0).round() / 10.0,
        })
    }
}

/// A result in a line.
fn said(row: &Value) -> String {
    let figure = |value: &Value| value.as_f64().unwrap_or_default();
    let ndcg = &row["judged"]["ndcg@10"];
    let seconds = &row["fitSeconds"];
    if let Some(curve) = row["curve"].as_array() {
        let point = |point: &Value| format!("{:.4} after {}", figure(&point["metrics"]["ndcg@10"]), point["epoch"]);
        let points: Vec<String> = curve.iter().map(point).collect();
        return format!("nDCG@10 {} epochs, in {seconds} s", points.join(", "));
    }
    let (base, tuned) = (figure(&ndcg["base"]), figure(&ndcg["tuned"]));
    format!(
        "nDCG@10 {base:.4} to {tuned:.4}, fit in {seconds} s, delivered: {}",
        row["delivered"]
    )
}

fn main() {
    let arguments = arguments();
    std::fs::create_dir_all(&arguments.store).expect("a folder for results");
    let data = Data {
        root: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
        more: arguments.data.clone(),
    };
    let scifact = data.scifact();
    let mut sets = vec![Some(if arguments.slice {
        scifact.slice()
    } else {
        scifact.clone()
    })];
    if !arguments.slice {
        sets.push(data.stackfaq("stackfaq", "documents.csv"));
        sets.push(data.stackfaq("ao", "documents_answers_only.csv"));
        sets.push(data.chorus());
    }
    let sets: BTreeMap<String, Set> = sets.into_iter().flatten().map(|set| (set.name.clone(), set)).collect();
    // What is taken over is kept apart from what the adapter has computed.
    let has_cpu_documents = arguments.is_on_webgpu && arguments.has_cpu_documents;
    let store = match has_cpu_documents {
        true => arguments.store.join("cpu-documents"),
        false => arguments.store.clone(),
    };
    std::fs::create_dir_all(&store).expect("a folder for results");
    let host = Terminal::new(store);
    let (encoder, cross_encoder) = (
        model(&arguments.models.join("all-MiniLM-L6-v2")),
        model(&arguments.models.join("ms-marco-MiniLM-L-12-v2")),
    );
    let load = |device| {
        let options = LoadOptions {
            device,
            dtype: DtypePreference::Auto,
            threads: 1,
        };
        let job = Job::new(&host);
        block_on(Tuner::load(&encoder, Some(&cross_encoder), options, &job)).expect("models load")
    };
    let on_cpu = load(DevicePreference::Cpu);
    let (tuner, cpu) = if arguments.is_on_webgpu {
        let cpu = Cpu {
            tuner: on_cpu,
            host: Terminal::new(arguments.store.clone()),
            has_documents: has_cpu_documents,
        };
        (load(DevicePreference::WebGpu), Some(cpu))
    } else {
        (on_cpu, None)
    };
    if arguments.is_saving {
        let count = logits::save(&data.root, &scifact, &tuner, &Job::new(&host));
        eprintln!("{count} logits of SciFact are in the file");
        return;
    }
    if !arguments.slice {
        logits::load(&data.root, &scifact, &tuner, &Job::new(&host));
        if let Some(cpu) = &cpu {
            logits::load(&data.root, &scifact, &cpu.tuner, &Job::new(&cpu.host));
        }
    }
    let bench = Bench {
        tuner,
        host,
        cpu,
        encoder,
        sets,
        slice: arguments.slice,
    };

    let finished = std::fs::read_to_string(&arguments.results).unwrap_or_default();
    let finished: BTreeSet<(String, u64)> = finished
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|row| Some((row["case"].as_str()?.to_owned(), row["seed"].as_u64()?)))
        .collect();
    let mut results = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&arguments.results)
        .expect("a file for results");
    let cases = if arguments.slice { cases::slice() } else { cases::all() };
    for case in cases {
        let is_wanted = arguments.only.is_empty() || arguments.only.iter().any(|text| case.name.contains(text));
        if !is_wanted || !bench.sets.contains_key(case.set) {
            continue;
        }
        let seeds = if arguments.slice { 0..1 } else { case.seeds.clone() };
        for seed in seeds.filter(|&seed| !finished.contains(&(case.name.clone(), seed))) {
            eprintln!("{}, seed {seed}", case.name);
            let row = bench.run(&case, seed);
            eprintln!("  {}", said(&row));
            writeln!(results, "{row}").expect("a result is written");
        }
    }
}
