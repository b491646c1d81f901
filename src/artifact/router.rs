//! sentence-transformers' `Router`: queries take one way through its modules, documents another.

use serde_json::{Map, Value, json};

use super::heads::Side;

/// `router_config.json` of a router whose routes are modules by these names.
pub fn config(query: &[&str], document: &[&str]) -> Value {
    let (mut types, mut structure) = (Map::new(), Map::new());
    for (side, modules) in [(Side::Query, query), (Side::Document, document)] {
        let folders: Vec<String> = (0..).zip(modules).map(|(n, name)| folder(side, n, name)).collect();
        for (folder, name) in folders.iter().zip(modules) {
            types.insert(
                folder.clone(),
                json!(format!("sentence_transformers.models.{name}.{name}")),
            );
        }
        structure.insert(side.name().into(), json!(folders));
    }
    json!({
        "types": types,
        "structure": structure,
        // Plain `encode` is what most call on documents.
        "parameters": { "default_route": "document", "allow_empty_key": true },
    })
}

/// The folder of a route's module, within the router's own.
pub fn folder(side: Side, number: usize, name: &str) -> String {
    format!("{}_{number}_{name}", side.name())
}
