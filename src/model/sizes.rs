//! How large an encoder's linear layers are.

use super::config::BertConfig;

/// The linear layers of a transformer layer, by their names within it.
const PARTS: [&str; 6] = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
];

/// What decides it.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Transformer layers.
    pub layers: usize,
    /// Numbers in a hidden state.
    pub hidden: usize,
    /// Width of the feed-forward layer.
    pub intermediate: usize,
}

impl Sizes {
    /// Those of a model of this configuration.
    pub fn of(config: &BertConfig) -> Self {
        Self {
            layers: config.num_hidden_layers,
            hidden: config.hidden_size,
            intermediate: config.intermediate_size,
        }
    }

    /// Inputs and outputs of a linear layer, by its name within a transformer layer.
    pub fn part(&self, part: &str) -> (usize, usize) {
        match part {
            "intermediate.dense" => (self.hidden, self.intermediate),
            "output.dense" => (self.intermediate, self.hidden),
            _ => (self.hidden, self.hidden),
        }
    }

    /// Inputs and outputs of a linear layer, by its full name, such as `encoder.layer.0.attention.self.query`; `None` if
    /// no layer has that name.
    pub fn module(&self, module: &str) -> Option<(usize, usize)> {
        let (number, part) = module.strip_prefix("encoder.layer.")?.split_once('.')?;
        let is_there = (0..self.layers).any(|layer| layer.to_string() == number);
        (is_there && PARTS.contains(&part)).then(|| self.part(part))
    }
}
