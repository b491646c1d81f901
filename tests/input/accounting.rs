//! Every row is a text, a duplicate, or skipped with a reason.

use querytune::error::Code;
use querytune::input::{InputItem, LISTED_REMARKS, LISTED_SKIPS, LONG_TEXT, ReadOptions, Role, Texts, read};

fn documents(text: &str) -> Texts {
    read(text.as_bytes(), "docs.csv", Role::Documents, &ReadOptions::default()).unwrap()
}

fn reasons(texts: &Texts) -> Vec<(u64, &str)> {
    texts
        .reading
        .skipped
        .iter()
        .map(|skipped| (skipped.line, skipped.reason.as_str()))
        .collect()
}

#[test]
fn equal_texts_are_merged_with_their_ids_and_counts() {
    let log = "id,query,count\na,tent,3\nb, tent ,2\nc,Tent,1\nd,two  words,1\ne,two words,1\na,tent,5\n";
    let texts = read(log.as_bytes(), "log.csv", Role::Queries, &ReadOptions::default()).unwrap();
    let items: Vec<_> = texts
        .items
        .iter()
        .map(|item| (item.ids.join(" "), item.text.as_str(), item.count))
        .collect();
    let expected = [
        ("a b", "tent", 10),
        ("c", "Tent", 1),
        ("d", "two  words", 1),
        ("e", "two words", 1),
    ];
    assert_eq!(items, expected.map(|(ids, text, count)| (ids.to_owned(), text, count)));
    assert_eq!(
        (texts.reading.rows, texts.reading.texts, texts.reading.duplicates),
        (6, 4, 2)
    );
}

#[test]
fn a_merged_row_is_listed_with_the_line_of_the_first() {
    let reading = documents("id,text\n1,tent\n2,stove\n3,\"a\nb\"\n4,stove\n5,tent\n").reading;
    let lines: Vec<_> = reading
        .merged
        .iter()
        .map(|row| (row.line, row.reason.as_str()))
        .collect();
    assert_eq!(
        lines,
        [(6, "the same text as on line 3"), (7, "the same text as on line 2")]
    );
    let rows = "tent\n".repeat(1 + LISTED_REMARKS + 7);
    let reading = documents(&format!("text\n{rows}")).reading;
    assert_eq!(
        (reading.merged.len(), reading.duplicates),
        (LISTED_REMARKS, LISTED_REMARKS + 7)
    );
}

#[test]
fn a_long_text_is_used_and_listed_once() {
    // Characters are counted, not bytes.
    let (long, short) = ("ä".repeat(LONG_TEXT + 1), "ä".repeat(LONG_TEXT));
    let reading = documents(&format!("id,text\n1,{short}\n2,{long}\n3,{long}\n")).reading;
    let lines: Vec<_> = reading.long.iter().map(|row| row.line).collect();
    assert_eq!((lines, reading.long_total, reading.texts), (vec![3], 1, 2));
    assert!(
        reading.long[0].reason.contains("1501 characters"),
        "{}",
        reading.long[0].reason
    );
}

#[test]
fn an_id_belongs_to_one_text() {
    let others: String = (4..30).map(|id| format!("{id},text {id}\n")).collect();
    let texts = documents(&format!("id,text\n1,tent\n2,stove\n1,lamp\n3,stove\n2,tent\n{others}"));
    assert_eq!(
        reasons(&texts),
        [
            (4, "the id \"1\" is already used, with another text, on line 2"),
            (6, "the id \"2\" is already used, with another text, on line 3"),
        ]
    );
    let mut ids: Vec<_> = texts.items.iter().flat_map(|item| &item.ids).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn without_ids_rows_are_numbered_with_the_skipped_ones() {
    let texts = documents("text,lang\ntent,en\n,en\nstove,en\n");
    let ids: Vec<_> = texts.items.iter().map(|item| item.ids.join(" ")).collect();
    assert_eq!(ids, ["1", "3"]);
    assert_eq!(reasons(&texts), [(3, "the text is empty")]);
}

#[test]
fn a_row_without_an_id_is_skipped_where_others_have_one() {
    let texts = documents("id,text\n1,tent\n,stove\n");
    assert_eq!(reasons(&texts), [(3, "the id is empty")]);
}

#[test]
fn the_list_of_skipped_rows_is_cut_but_not_their_number() {
    let rows: String = (0..3000).map(|row| format!("{row},\n")).collect();
    let reading = documents(&format!("id,text\nx,tent\n{rows}")).reading;
    assert_eq!(
        (reading.skipped.len(), reading.skipped_total, reading.rows),
        (LISTED_SKIPS, 3000, 3001)
    );
}

#[test]
fn items_of_a_program_are_treated_alike() {
    let item = |id: Option<&str>, title: Option<&str>, text: &str, count| InputItem {
        id: id.map(str::to_owned),
        title: title.map(str::to_owned),
        text: text.to_owned(),
        count,
    };
    let items = [
        item(None, Some("Tents"), "for two", None),
        item(Some("b"), None, "Tents for two", Some(4)),
        item(None, None, " ", None),
        item(Some("b"), None, "other", None),
    ];
    let texts = Texts::from_items(items, Role::Documents).unwrap();
    assert_eq!(texts.items.len(), 1);
    assert_eq!(
        (texts.items[0].ids.join(" ").as_str(), texts.items[0].count),
        ("1 b", 5)
    );
    assert_eq!(
        reasons(&texts).iter().map(|(line, _)| *line).collect::<Vec<_>>(),
        [3, 4]
    );
    assert_eq!(serde_json::to_value(&texts.reading).unwrap()["format"], "array");
    assert_eq!(
        Texts::from_items([], Role::Queries).unwrap_err().code(),
        Code::InputEmpty
    );
    assert_eq!(
        Texts::from_items([item(None, None, "", None)], Role::Queries)
            .unwrap_err()
            .code(),
        Code::InputEmpty
    );
}

/// Random tables of the characters that matter: reading them never panics and always accounts for every row.
#[test]
fn rows_are_texts_and_duplicates_and_skipped_ones_for_any_input() {
    let pieces = [
        "\"", "\"\"", ",", ";", "\t", "|", "\n", "\r", "\r\n", " ", "a", "tent", "1", "é", "query", "{", "}", "\"a\":",
        "[", "id",
    ];
    let random = &mut fastrand::Rng::with_seed(7);
    let mut read_well = 0;
    for round in 0..20_000 {
        let text: String = (0..random.usize(..40))
            .map(|_| pieces[random.usize(..pieces.len())])
            .collect();
        let file = ["a.csv", "a.tsv", "a.txt", "a.jsonl"][round % 4];
        let role = [Role::Queries, Role::Documents][round / 4 % 2];
        let options = ReadOptions {
            quotes: [None, Some(true), Some(false)][round % 3],
            ..Default::default()
        };
        if let Ok(texts) = read(text.as_bytes(), file, role, &options) {
            let reading = &texts.reading;
            assert_eq!(
                reading.rows,
                reading.texts + reading.duplicates + reading.skipped_total,
                "{text:?}"
            );
            assert_eq!(reading.texts, texts.items.len());
            assert!(
                texts
                    .items
                    .iter()
                    .all(|item| !item.text.trim().is_empty() && !item.ids.is_empty()),
                "{text:?}"
            );
            let lines = text.replace("\r\n", "\n").replace('\r', "\n").lines().count() as u64;
            assert!(
                reading
                    .skipped
                    .iter()
                    .all(|skipped| (1..=lines).contains(&skipped.line)),
                "{text:?}"
            );
            read_well += 1;
        }
    }
    assert!(read_well > 5_000, "{read_well}");
}
