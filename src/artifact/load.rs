//! Code that puts a download to use, for the README files.

use serde_json::Value;

use super::heads::Side;
use super::markdown::one_line;
use super::{Adapter, Lora, router};

/// For the model card: the whole model, then its parts. `router` is the folder of the router with the heads.
pub fn the_model(adapter: &Adapter, router: Option<&str>) -> String {
    let queries_and_documents = "\
```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer(\"model\")  # this folder
queries = model.encode_query([\"your query\"])
documents = model.encode_document([\"your document\"])
scores = model.similarity(queries, documents)
```
";
    match adapter {
        Adapter::Heads { dims, document, .. } => {
            let router = router.unwrap_or("3_Router");
            let file = |side| format!("model/{router}/{}/model.safetensors", router::folder(side, 0, "Dense"));
            let plain = if document.is_some() {
                "plain `encode` gives the document's vector"
            } else {
                "plain `encode` gives the document's vector, which is the base encoder's"
            };
            let document = document.is_some().then(|| file(Side::Document));
            format!(
                "**sentence-transformers 5 or newer** (`pip install \"sentence-transformers>=5\"`). Queries and \
                 documents have their own\ncalls; {plain}.\n\n{queries_and_documents}\n{}",
                the_heads(*dims, "linear.weight", &file(Side::Query), document.as_deref())
            )
        }
        Adapter::Lora(lora) if lora.documents => format!(
            "**sentence-transformers** (`pip install sentence-transformers`). Queries and documents go through the \
             same encoder.\n\n{queries_and_documents}\n\
             **JavaScript**, with the npm package `querytune`, in a page that serves this folder:\n\n{}",
            in_javascript("model/", true)
        ),
        Adapter::Lora(_) => format!(
            "**sentence-transformers 5 or newer** (`pip install \"sentence-transformers>=5\"`). Queries and documents \
             have their own\ncalls; plain `encode` gives the document's vector, which is the base encoder's.\n\n\
             {queries_and_documents}\n\
             Each encoder is a folder that loads by itself, in older versions and other tools too:\n\
             `SentenceTransformer(\"model/query_0_Transformer\")` for queries, \
             `SentenceTransformer(\"model/document_0_Transformer\")` for documents.\n\n\
             **JavaScript**, with the npm package `querytune`, in a page that serves this folder; vectors of queries:\
             \n\n{}",
            in_javascript("model/query_0_Transformer/", false)
        ),
    }
}

/// Heads on vectors that are there already, in numpy and in JavaScript.
pub fn the_heads(dims: usize, tensor: &str, query: &str, document: Option<&str>) -> String {
    let python = document.map_or(String::new(), |file| {
        format!("\ntuned_documents = adapt(documents, \"{file}\")")
    });
    let javascript = document.map_or(String::new(), |file| {
        format!("\nconst tunedDocument = adapt(document, await load(\"{file}\"));")
    });
    let javascript = format!("const tunedQuery = adapt(query, await load(\"{query}\"));{javascript}");
    format!(
        r#"**numpy**, on normalised vectors of the base encoder, one a row:

```python
import numpy as np
from safetensors.numpy import load_file

def adapt(vectors, file):
    tuned = vectors @ load_file(file)["{tensor}"].T  # I + W
    return tuned / np.linalg.norm(tuned, axis=1, keepdims=True)

tuned_queries = adapt(queries, "{query}"){python}
```

**JavaScript**, on one normalised vector of the base encoder:

```js
async function load(file) {{
  const bytes = await (await fetch(file)).arrayBuffer();
  return new Float32Array(bytes, 8 + Number(new DataView(bytes).getBigUint64(0, true))); // I + W, {dims} rows of {dims}
}}

function adapt(vector, weight) {{
  const dot = (row) => vector.reduce((sum, value, i) => sum + weight[row * {dims} + i] * value, 0);
  const tuned = Array.from(vector, (_, row) => dot(row));
  const length = Math.hypot(...tuned);
  return tuned.map((value) => value / length);
}}

{javascript}
```

"#
    )
}

/// LoRA on the base model, in sentence-transformers, in PEFT, and by hand.
pub fn the_lora(lora: &Lora, report: &Value) -> String {
    let id = report.pointer("/models/encoder/id").and_then(Value::as_str);
    // A name that cannot end the string it stands in.
    let base = one_line(id.unwrap_or("the base encoder's folder")).replace(['"', '\\', '`'], "'");
    let factor = lora.factor();
    let document = if lora.documents {
        "documents = tuned.encode_document([\"your document\"], normalize_embeddings=True)"
    } else {
        "documents = SentenceTransformer(base).encode_document([\"your document\"], normalize_embeddings=True)  # as before"
    };
    format!(
        r#"**sentence-transformers** (`pip install "sentence-transformers>=5" peft`):

```python
from sentence_transformers import SentenceTransformer

base = "{base}"
tuned = SentenceTransformer(base)
tuned.load_adapter("adapter")  # this folder
queries = tuned.encode_query(["your query"], normalize_embeddings=True)
{document}
```

**PEFT**, for the transformer without pooling:

```python
from peft import PeftModel
from transformers import AutoModel

transformer = PeftModel.from_pretrained(AutoModel.from_pretrained("{base}"), "adapter").merge_and_unload()
```

**numpy**, to make the changed weights from the base model's file (names in it may begin with `bert.`):

```python
from safetensors.numpy import load_file

weights, change = load_file("model.safetensors"), load_file("adapter/adapter_model.safetensors")
for name in [name for name in change if name.endswith(".lora_A.weight")]:
    module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
    weights[f"{{module}}.weight"] += {factor} * change[name.replace("lora_A", "lora_B")] @ change[name]
```

**JavaScript**: the changes are merged into the encoder in the download's `model/` folder; see its README.
"#
    )
}

fn in_javascript(folder: &str, has_documents: bool) -> String {
    let documents = if has_documents {
        "const documents = await tuner.embed([\"your document\"]);\n"
    } else {
        ""
    };
    format!(
        "```js\nimport {{ load }} from \"querytune\";\n\n\
         const tuner = await load({{ encoder: new URL(\"{folder}\", location.href), crossEncoder: false }});\n\
         const queries = await tuner.embed([\"your query\"], {{ kind: \"query\" }});\n{documents}```\n\n"
    )
}
