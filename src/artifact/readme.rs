//! The two short files that say what is where.

use serde_json::Value;

use super::Delivered;

/// `README.md` at the top of the download.
pub fn of_the_download(delivered: Delivered, report: &Value) -> String {
    let version = report
        .get("version")
        .and_then(Value::as_str)
        .map_or(String::new(), |version| format!(" {version}"));
    let model = match delivered {
        Delivered::Tuned => {
            "the tuned encoder: `SentenceTransformer(\"model\")` loads it (sentence-transformers 5 or newer), then \
             `encode_query` and `encode_document`"
        }
        Delivered::Base => {
            "the base encoder, unchanged: training did not beat it on held-out queries (see `model/README.md`)"
        }
    };
    format!(
        "# Made by querytune{version}\n\n\
         | | |\n\
         |---|---|\n\
         | `model/` | {model} |\n\
         | `model/README.md` | the model card: figures, data, recipe, limits, how to load it |\n\
         | `adapter/` | the trained head alone, a single matrix for the queries' vectors |\n\
         | `report.json` | every figure and constant |\n\
         | `data/` | what was trained on: queries, documents and the cross-encoder's scores |\n"
    )
}

/// `adapter/README.md`.
pub fn of_the_adapter(dims: usize) -> String {
    format!(
        r#"# The query head

`query_head.safetensors` holds one tensor, `weight`: F32, {dims} x {dims}, the identity plus the trained W. It changes
queries only: q' = normalize(q + W q), where q is the base encoder's normalised vector. Documents keep theirs.

```python
import numpy as np
from safetensors.numpy import load_file

weight = load_file("query_head.safetensors")["weight"]
tuned = queries @ weight.T  # normalised query vectors of the base encoder, one a row
tuned /= np.linalg.norm(tuned, axis=1, keepdims=True)
```
"#
    )
}
