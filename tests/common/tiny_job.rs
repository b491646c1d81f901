//! A job so small that the real models finish it in seconds: six queries, twenty documents.

use std::rc::Rc;

use querytune::device::{DevicePreference, DtypePreference};
use querytune::input::{InputItem, Role, Texts};
use querytune::job::Job;
use querytune::relations::Relations;
use querytune::synthesize::SynthesizeOptions;
use querytune::tuner::{LoadOptions, Tuner};

use super::{TestHost, block_on, cross_encoder_files, encoder_files};

/// A search log.
pub const QUERIES: [&str; 6] = [
    "how to remove coffee stains",
    "waterproof hiking boots",
    "cheap flights to lisbon",
    "learn to play chess",
    "fix a flat bicycle tyre",
    "best time to plant tomatoes",
];

/// A shop's documents; two or three are about each query.
pub const DOCUMENTS: [&str; 20] = [
    "Stain remover for textiles: works on coffee, tea and red wine.",
    "Arabica coffee beans, dark roast, 1 kg.",
    "Hiking boots with a waterproof membrane and a grippy sole.",
    "Canvas sneakers for the summer.",
    "Waterproofing spray for shoes and tents.",
    "Low-cost airlines that fly to Portugal.",
    "Lisbon city guide with maps and restaurants.",
    "Flight simulator for your computer.",
    "Chess for beginners: rules, openings and first tactics.",
    "Wooden chess set with a folding board.",
    "Checkers and draughts, travel edition.",
    "Repair kit for bicycle tubes with patches and levers.",
    "Floor pump with a pressure gauge for bicycle tyres.",
    "Car tyres for winter, set of four.",
    "Tomato seedlings should go outside after the last frost.",
    "Garden calendar: when to sow and plant vegetables.",
    "Tomato sauce with basil, 500 g.",
    "Electric kettle with temperature control.",
    "Office chair with lumbar support.",
    "Notebook with dotted paper.",
];

/// Texts by number.
pub fn texts(items: &[&str], role: Role) -> Rc<Texts> {
    let item = |text: &&str| InputItem {
        text: (*text).to_owned(),
        ..InputItem::default()
    };
    Rc::new(Texts::from_items(items.iter().map(item), role).expect("texts"))
}

/// Few candidates, half of them scored.
pub const OPTIONS: SynthesizeOptions = SynthesizeOptions {
    candidates: 10,
    depth: 5,
    budget_seconds: None,
    bm25: 0,
    relations: None,
};

/// Both models, on the CPU in integers.
pub fn tuner(host: &TestHost) -> Tuner {
    let job = Job::new(host);
    block_on(Tuner::load(
        &encoder_files(),
        Some(&cross_encoder_files()),
        LoadOptions {
            device: DevicePreference::Cpu,
            dtype: DtypePreference::Auto,
            threads: 1,
        },
        &job,
    ))
    .expect("models load")
}

/// Relations of the log and the shop.
pub fn synthesize(tuner: &Tuner, options: SynthesizeOptions, host: &TestHost) -> querytune::Result<Relations> {
    let (queries, documents) = (texts(&QUERIES, Role::Queries), texts(&DOCUMENTS, Role::Documents));
    block_on(tuner.synthesize(queries, documents, options, &Job::new(host)))
}
