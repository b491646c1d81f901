//! Writes a download with a seeded random head on a real base model, for tests/interop/check_artifact.py.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use querytune::artifact::{Artifact, Delivered, Head};
use serde_json::json;

fn read_folder(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

#[test]
#[ignore = "needs a base model; scripts/test-interop.mjs runs it and has the result checked in Python"]
fn a_download_for_sentence_transformers_is_written() {
    let folder = |name: &str| PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("set {name}")));
    let (base_folder, out) = (folder("QUERYTUNE_INTEROP_BASE"), folder("QUERYTUNE_INTEROP_OUT"));
    let mut base = BTreeMap::new();
    read_folder(&base_folder, &base_folder, &mut base);
    let config: serde_json::Value = serde_json::from_slice(&base["config.json"]).unwrap();
    let dims = config["hidden_size"].as_u64().unwrap() as usize;
    let mut random = fastrand::Rng::with_seed(42);
    let w: Vec<f32> = (0..dims * dims).map(|_| (random.f32() - 0.5) * 0.05).collect();
    for (delivered, name) in [(Delivered::Tuned, "tuned"), (Delivered::Base, "base")] {
        let report = json!({ "models": { "encoder": { "id": "base" } }, "fit": { "delivered": name } });
        let head = Head { dims, w: &w };
        let zip = Artifact {
            base: &base,
            head,
            delivered,
            report: &report,
            data: vec![],
        }
        .to_zip()
        .unwrap();
        std::fs::write(out.join(format!("{name}.zip")), zip).unwrap();
    }
}
