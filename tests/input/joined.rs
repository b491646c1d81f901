//! A newer log and an earlier one become one: nothing is lost, nobody's numbers or ids change.

use querytune::input::{InputItem, Role, Text, Texts};

fn item(id: &str, text: &str, count: u32) -> InputItem {
    InputItem {
        id: Some(id.to_owned()),
        text: text.to_owned(),
        count: Some(count),
        ..InputItem::default()
    }
}

fn newer() -> Texts {
    Texts::from_items([item("1", "shoes", 3), item("2", "tents", 1)], Role::Queries).expect("texts")
}

fn earlier(items: &[(&[&str], &str, u32)]) -> Vec<Text> {
    let text = |&(ids, text, count): &(&[&str], &str, u32)| Text {
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        text: text.to_owned(),
        title: None,
        count,
    };
    items.iter().map(text).collect()
}

#[test]
fn texts_of_both_are_one_with_their_counts_added() {
    let joined = newer().joined(&earlier(&[(&["9"], "shoes", 4), (&["8"], "stoves", 2)]));
    let texts: Vec<&str> = joined.items.iter().map(|text| text.text.as_str()).collect();
    assert_eq!(texts, ["shoes", "tents", "stoves"]);
    let counts: Vec<u32> = joined.items.iter().map(|text| text.count).collect();
    assert_eq!(counts, [7, 1, 2]);
    assert_eq!(joined.items[0].ids, ["1", "9"]);
}

#[test]
fn an_id_stays_with_the_newer_text_and_is_never_used_twice() {
    // Row numbers as ids: each night's file begins at 1 again.
    let joined = newer().joined(&earlier(&[
        (&["1"], "stoves", 1),
        (&["2", "20"], "lamps", 1),
        (&["2"], "shoes", 1),
        (&["1"], "ropes", 1),
    ]));
    let ids: Vec<&[String]> = joined.items.iter().map(|text| &text.ids[..]).collect();
    let expected: [&[&str]; 5] = [&["1"], &["2"], &["earlier:1"], &["20"], &["earlier:earlier:1"]];
    assert_eq!(ids, expected);
}

#[test]
fn the_reading_stays_the_newer_files_and_says_what_was_added() {
    let newer = newer();
    let joined = newer.joined(&earlier(&[(&["8"], "stoves", 2)]));
    assert_eq!((joined.reading.rows, joined.reading.texts), (2, 2));
    assert!(
        joined.reading.notes[0].ends_with("are used too: 1."),
        "{:?}",
        joined.reading.notes
    );
    assert_eq!(newer.joined(&earlier(&[(&["8"], "tents", 2)])).reading, newer.reading);
}
