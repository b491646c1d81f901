//! Of a long text only a beginning is read, and the ids are those of the whole text all the same.

use crate::common::{cross_encoder_files, encoder_files, golden_model};
use querytune::model::{BertConfig, ModelFiles, Tokenizer};
use serde_json::{Value, json};
use tokenizers::{TruncationParams, TruncationStrategy};

/// A tokenizer as the engine uses it, and one that reads whole texts.
struct Both {
    name: String,
    engine: Tokenizer,
    whole: tokenizers::Tokenizer,
}

impl Both {
    fn new(files: &ModelFiles, max_length: usize) -> Self {
        let mut config = BertConfig::read(files).expect("a config");
        // Room for tokens that a test adds.
        config.vocab_size += 10;
        let mut whole = tokenizers::Tokenizer::from_bytes(&files.files["tokenizer.json"]).expect("a tokenizer");
        whole.with_padding(None);
        let truncation = TruncationParams {
            max_length,
            strategy: TruncationStrategy::LongestFirst,
            ..TruncationParams::default()
        };
        whole.with_truncation(Some(truncation)).expect("a length");
        Self {
            name: format!("{} at {max_length}", files.id),
            engine: Tokenizer::read(files, &config, max_length).expect("it loads"),
            whole,
        }
    }

    fn assert_same_text(&self, text: &str) {
        let expected = self.whole.encode(text, true).expect("tokens");
        let found = self.engine.text(text).expect("tokens");
        assert!(found.ids == expected.get_ids(), "{}: {text:?}", self.name);
    }

    fn assert_same_pair(&self, query: &str, document: &str) {
        let expected = self.whole.encode((query, document), true).expect("tokens");
        let found = self.engine.pair(query, document).expect("tokens");
        assert!(
            found.ids == expected.get_ids(),
            "{}: {query:?}, {document:?}",
            self.name
        );
    }
}

fn models() -> [ModelFiles; 5] {
    [
        encoder_files(),
        cross_encoder_files(),
        golden_model("tiny-encoder"),
        golden_model("tiny-xlm-roberta"),
        golden_model("tiny-xlm-roberta-cross-encoder"),
    ]
}

/// What stands beside each other in texts, or should not.
#[rustfmt::skip]
const ODD: &[&str] = &[
    " ", " ", " ", "\n", "  ", "\n\n", "\r\n", "\t", "\r", "\u{b}", "\u{85}", "\u{a0}", "\u{3000}", "\u{2028}", "\0",
    "\u{200b}", "\u{200d}", "\u{feff}", "\u{fffd}", "\u{2581}", "tent", "Unbelievably", "new", "york", "o", "w", ".", "-",
    "?!…", "(c)", "1,234.50", "e\u{301}", "\u{301}", "\u{345}", "\u{323}\u{307}", "\u{600}", "\u{110bd}", "क्ष", "\u{94d}",
    "中文字", "日本語テキスト", "한국어", "สวัสดี", "Привет", "ΑΣ", "İ", "ß", "ﬁ", "ﷺ", "Å", "👩‍👩‍👧", "🇩🇪🇫🇷", "🇩", "👍🏽",
    "[MASK]", "<mask>", "[SEP]", "</s>", "<s>",
];

/// Texts of a few kinds of odd things each, so that what they have in common comes often. In many of them words are few,
/// so that a beginning has just about the tokens that are kept, and where it ends matters.
fn odd_text(random: &mut fastrand::Rng, bytes: usize) -> String {
    let kinds: Vec<&str> = (0..random.usize(2..9))
        .map(|_| ODD[random.usize(..ODD.len())])
        .collect();
    let (spaces, parrots) = (random.u8(..4), random.usize(..9));
    let mut text = String::new();
    while text.len() < bytes {
        // A word that no vocabulary has is a single token, however long it is.
        for part in [
            kinds[random.usize(..kinds.len())],
            &"🦜".repeat(random.usize(..=parrots)),
        ] {
            text += part;
            if random.u8(..4) < spaces {
                text.push(' ');
            }
        }
    }
    text
}

#[test]
fn odd_texts_have_the_ids_of_the_whole() {
    let mut random = fastrand::Rng::with_seed(17);
    for files in models() {
        for max_length in [7, 12, 33] {
            let both = Both::new(&files, max_length);
            for _ in 0..300 {
                let bytes = random.usize(..3000);
                let text = odd_text(&mut random, bytes);
                both.assert_same_text(&text);
                let query = odd_text(&mut random, bytes % 60);
                both.assert_same_pair(&query, &text);
            }
        }
    }
}

#[test]
fn pairs_are_cut_as_the_whole_texts_whichever_is_longer() {
    let mut random = fastrand::Rng::with_seed(23);
    for files in models() {
        for max_length in [12, 13] {
            let both = Both::new(&files, max_length);
            for words in 0..14 {
                let query = "tent ".repeat(words);
                for document in ["<mask>".repeat(90), "[MASK]".repeat(90), "word ".repeat(90)] {
                    both.assert_same_pair(&query, &document);
                    both.assert_same_pair(&query, &format!("a b c d e {document} {document}"));
                    both.assert_same_pair(&document, &document);
                    both.assert_same_pair(&document, &query);
                }
                let texts = [odd_text(&mut random, 900), odd_text(&mut random, 900)];
                both.assert_same_pair(&texts[0], &texts[1]);
            }
        }
    }
}

#[test]
fn texts_of_many_kilobytes_have_the_ids_of_the_whole() {
    let mut random = fastrand::Rng::with_seed(29);
    for files in models() {
        let both = Both::new(&files, 512);
        let words: String = (0..30_000).map(|number| format!("word{} ", number % 997)).collect();
        let texts = [
            words.clone(),
            words.replace(' ', ""),
            words.replace(' ', "\n"),
            words.replace(' ', "\r\n"),
            format!("{}{words}", " ".repeat(100_000)),
            format!("{}{words}", "\u{200b} ".repeat(30_000)),
            "新しいテントと二人用の寝袋。".repeat(3_000),
            "e\u{301} 👩‍👩‍👧 ".repeat(6_000),
            odd_text(&mut random, 100_000),
        ];
        for text in &texts {
            both.assert_same_text(text);
            both.assert_same_pair("a tent for two", text);
        }
    }
}

#[test]
fn a_text_of_ten_megabytes_has_the_ids_that_it_begins_with() {
    let text: String = (0..1_200_000).map(|number| format!("tent{number} ")).collect();
    assert!(text.len() > 10_000_000);
    for files in models() {
        let both = Both::new(&files, 512);
        let expected = both.whole.encode(&text[..100_000], true).expect("tokens");
        assert_eq!(both.engine.text(&text).expect("tokens").ids, expected.get_ids());
        let expected = both.whole.encode(("a tent", &text[..100_000]), true).expect("tokens");
        assert_eq!(
            both.engine.pair("a tent", &text).expect("tokens").ids,
            expected.get_ids()
        );
    }
}

fn edited(mut files: ModelFiles, what: &str, change: impl FnOnce(&mut Value)) -> ModelFiles {
    let mut json: Value = serde_json::from_slice(&files.files["tokenizer.json"]).expect("json");
    change(&mut json);
    files
        .files
        .insert("tokenizer.json".into(), json.to_string().into_bytes());
    ModelFiles::new(format!("{} {what}", files.id), files.files)
}

fn add_token(json: &mut Value, content: &str, normalized: bool) {
    let token = json!({
        "id": 0, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": normalized,
        "special": false
    });
    json["added_tokens"].as_array_mut().expect("a list").push(token);
}

/// A normaliser as SentencePiece compiles one, with which sequences of characters become "n": the length of a double array,
/// its units (offset, whether a sequence ends there, byte), and what sequences become.
fn precompiled(sequences: &[&str]) -> Value {
    const BLOCK: usize = 256;
    let mut units = vec![0; BLOCK];
    for sequence in sequences {
        let mut block = 0;
        for (number, byte) in sequence.bytes().enumerate() {
            let (node, next) = (block ^ usize::from(byte), units.len());
            let ends = number + 1 == sequence.len();
            units[node] = ((node ^ next) << 10 | usize::from(ends) << 8) as u32 | u32::from(byte);
            units.resize(next + BLOCK, 0);
            block = next;
        }
    }
    let length = (4 * units.len() as u32).to_le_bytes();
    let units = units.iter().flat_map(|unit| unit.to_le_bytes());
    let mut map: Vec<u8> = length.into_iter().chain(units).chain(*b"n\0").collect();
    map.resize(map.len().next_multiple_of(3), 0);
    json!({ "type": "Precompiled", "precompiled_charsmap": base64(&map) })
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |bytes: &[u8]| {
        let number = bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(LETTERS[number >> shift & 63]))
    };
    let (groups, rest) = bytes.as_chunks::<3>();
    assert!(rest.is_empty());
    groups.iter().flat_map(|bytes| group(bytes)).collect()
}

/// Texts whose last token that is kept is, at one number of words before it, in one of these.
fn full_before(odd: &[&str]) -> Vec<String> {
    let word = format!("{} ", "🦜".repeat(4));
    let text = |words: usize| odd.iter().map(move |odd| (words, odd));
    let texts = (0..10).flat_map(text);
    texts
        .map(|(words, odd)| format!("{}{odd}{}", word.repeat(words), "🦜".repeat(300)))
        .collect()
}

#[test]
fn a_tokenizer_that_looks_across_spaces_reads_whole_texts() {
    let replace = |pattern: &str, content: &str| json!({ "type": "Replace", "pattern": { "String": pattern }, "content": content });
    let bert = encoder_files;
    let roberta = || golden_model("tiny-xlm-roberta");
    let models = [
        edited(bert(), "with a token of two words", |json| {
            add_token(json, "new york", false)
        }),
        edited(bert(), "with a normalised token of two words", |json| {
            add_token(json, "New York", true)
        }),
        edited(bert(), "without spaces", |json| json["normalizer"] = replace(" ", "")),
        edited(bert(), "that joins words", |json| {
            let normalizers = [json["normalizer"].clone(), replace("o w", "x")];
            json["normalizer"] = json!({ "type": "Sequence", "normalizers": normalizers });
        }),
        edited(bert(), "that splits at full stops alone", |json| {
            json["pre_tokenizer"] = json!({ "type": "CharDelimiterSplit", "delimiter": "." });
        }),
        edited(roberta(), "with pieces across spaces", |json| {
            let metaspace =
                json!({ "type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": false });
            json["pre_tokenizer"] = metaspace;
        }),
        edited(roberta(), "that makes letters of line ends", |json| {
            json["normalizer"] = precompiled(&["\n"]);
        }),
    ];
    let mut random = fastrand::Rng::with_seed(31);
    for files in models {
        for max_length in [7, 9, 12] {
            let both = Both::new(&files, max_length);
            for _ in 0..300 {
                let bytes = random.usize(..2000);
                let text = odd_text(&mut random, bytes);
                both.assert_same_text(&text);
                both.assert_same_pair("tent", &text);
            }
            for text in full_before(&["new york", "o w", "o\nw"]) {
                both.assert_same_text(&text);
            }
        }
    }
}

#[test]
fn white_space_that_the_normaliser_takes_with_its_neighbours_ends_nothing() {
    // Arabic's number sign and the space after it are one grapheme, and so are a space and the accent after it.
    let files = edited(golden_model("tiny-xlm-roberta"), "with spaces in graphemes", |json| {
        json["normalizer"] = precompiled(&["\u{600} ", " \u{301}"]);
        let tokens = json["added_tokens"].as_array_mut().expect("a list");
        let mask = tokens.iter_mut().find(|token| token["content"] == "<mask>");
        mask.expect("a mask")["lstrip"] = json!(true);
    });
    for max_length in 7..14 {
        let both = Both::new(&files, max_length);
        for text in full_before(&["o\u{600} w", "o \u{301}w", "o\u{600}  <mask>", "o\n\u{301}w", "o\r\nw"]) {
            both.assert_same_text(&text);
            both.assert_same_pair("tent", &text);
        }
    }
}
