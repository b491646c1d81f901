//! Two logs made one: a newer one, and what an earlier one had.

use std::collections::{HashMap, HashSet};

use super::texts::{Text, Texts};

impl Texts {
    /// These texts, then those of an earlier log that are not among them; so the numbers of these stay as they are.
    ///
    /// A text of both has the sum of its counts, and the ids of both. An id that these texts use for another text is
    /// theirs, for it is by their ids that people judge; an earlier text that has no other id is called `earlier:` and
    /// its id. The reading stays that of these texts, with a note.
    pub fn joined(&self, earlier: &[Text]) -> Self {
        let mut joined = self.clone();
        let mut used: HashSet<String> = self.items.iter().flat_map(|text| &text.ids).cloned().collect();
        let numbers: HashMap<&str, usize> = (0..)
            .zip(&self.items)
            .map(|(number, item)| (item.text.as_str(), number))
            .collect();
        for text in earlier {
            let mut ids: Vec<String> = text.ids.iter().filter(|id| !used.contains(*id)).cloned().collect();
            if let Some(&number) = numbers.get(text.text.as_str()) {
                let item = &mut joined.items[number];
                item.count = item.count.saturating_add(text.count);
                used.extend(ids.iter().cloned());
                item.ids.append(&mut ids);
                continue;
            }
            if ids.is_empty() {
                let mut id = format!("earlier:{}", text.ids[0]);
                while used.contains(&id) {
                    id.insert_str(0, "earlier:");
                }
                ids.push(id);
            }
            used.extend(ids.iter().cloned());
            joined.items.push(Text { ids, ..text.clone() });
        }
        let added = joined.items.len() - self.items.len();
        if added > 0 {
            let note = format!("Queries of the earlier log that are not in this one are used too: {added}.");
            joined.reading.notes.push(note);
        }
        joined
    }
}
