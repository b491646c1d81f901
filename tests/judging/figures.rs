//! Judged figures of queries and documents that were left out: nothing that is known of them may reach the training.

use crate::common::tiny_job::{DOCUMENTS, OPTIONS, QUERIES, synthesize, texts, tuner};
use crate::common::{TestHost, block_on};
use std::rc::Rc;

use querytune::input::{InputItem, Qrels, Role, Texts};
use querytune::job::Job;
use querytune::judge::{Figure, Figures, Verdict, judge_fit};
use querytune::relations::Relations;
use querytune::tune::RecipeOptions;
use querytune::tuner::Tuner;

/// A tiny log with its models.
struct Log {
    host: TestHost,
    tuner: Tuner,
}

impl Log {
    fn new() -> Self {
        let host = TestHost::with_store();
        let tuner = tuner(&host);
        Self { host, tuner }
    }

    /// The same each time, as the store has it.
    fn relations(&self) -> Relations {
        synthesize(&self.tuner, OPTIONS, &self.host).expect("relations")
    }

    /// One epoch, so that there is one checkpoint to choose, in steps that turn rankings over.
    fn verdict(&self, relations: &Relations, qrels: &str) -> Verdict {
        let options = RecipeOptions {
            epochs: Some(1),
            folds: Some(3),
            learning_rate: Some(0.01),
            ..RecipeOptions::default()
        };
        let recipe = options.recipe(relations.queries.items.len()).expect("a recipe");
        let qrels = Qrels::read(qrels.as_bytes(), "qrels.tsv").expect("judgements");
        let job = Job::new(&self.host);
        let fit = block_on(self.tuner.fit(relations, recipe, None, &job)).expect("a fit");
        let verdict = block_on(judge_fit(&self.tuner, relations, &fit, &qrels, None, None, &job));
        verdict.expect("a verdict")
    }

    fn figures(&self, relations: &Relations, qrels: &str) -> Figures {
        self.verdict(relations, qrels).figures
    }
}

/// Judgements of a query: of its scored candidates the later ones are the more relevant.
fn graded(relations: &Relations, query: usize) -> String {
    let scored = relations.candidates[query].iter().filter(|one| one.logit.is_some());
    let rows = scored.enumerate().map(|(place, candidate)| {
        let (query, document) = (query + 1, candidate.document + 1);
        format!("{query}\t{document}\t{}\n", place + 1)
    });
    format!("q\td\tr\n{}", rows.collect::<String>())
}

/// The logits of a query's candidates but the best one, in the opposite order.
fn turn(relations: &mut Relations, query: usize) {
    let candidates = &mut relations.candidates[query];
    let logits = |candidates: &[querytune::relations::Candidate]| -> Vec<f32> {
        let mut logits: Vec<f32> = candidates.iter().filter_map(|one| one.logit).collect();
        logits.sort_by(f32::total_cmp);
        logits.pop();
        logits
    };
    let others = logits(candidates);
    for candidate in candidates {
        let place = others.iter().position(|&other| Some(other) == candidate.logit);
        if let Some(place) = place {
            candidate.logit = Some(others[others.len() - 1 - place]);
        }
    }
}

fn tuned(figure: &Option<Figure>) -> f64 {
    figure.as_ref().expect("a figure").judged.ndcg_10.tuned
}

#[test]
fn figures_of_queries_left_out_do_not_depend_on_the_scores_of_these_queries() {
    let log = Log::new();
    let mut told_own = 0;
    for query in 0..log.relations().queries.items.len() {
        let mut relations = log.relations();
        let qrels = graded(&relations, query);
        let before = log.figures(&relations, &qrels);
        turn(&mut relations, query);
        let after = log.figures(&relations, &qrels);
        assert_eq!(tuned(&before.similar_queries), tuned(&after.similar_queries), "{query}");
        assert_eq!(tuned(&before.new_queries), tuned(&after.new_queries), "{query}");
        told_own += usize::from(tuned(&before.own_queries) != tuned(&after.own_queries));
    }
    assert!(told_own > 0, "the scores that were turned teach nothing");
}

#[test]
fn figures_of_new_queries_do_not_depend_on_the_scores_of_others_with_the_same_best_document() {
    let log = Log::new();
    let twins = [
        "how to remove coffee stains",
        "removing stains of coffee",
        "waterproof hiking boots",
        "hiking boots that are waterproof",
        "learn to play chess",
        "learning how to play chess",
    ];
    let relations = |query: usize, twin: usize| {
        let (queries, documents) = (texts(&twins, Role::Queries), texts(&DOCUMENTS, Role::Documents));
        let job = Job::new(&log.host);
        let relations = log.tuner.synthesize(queries, documents, OPTIONS, &job);
        let mut relations = block_on(relations).expect("relations");
        relations.candidates[twin] = relations.candidates[query].clone();
        relations
    };
    let mut told_similar = 0;
    for query in 0..twins.len() {
        let twin = query ^ 1;
        let mut relations = relations(query, twin);
        let qrels = graded(&relations, query);
        let before = log.figures(&relations, &qrels);
        turn(&mut relations, twin);
        let after = log.figures(&relations, &qrels);
        assert_eq!(tuned(&before.new_queries), tuned(&after.new_queries), "{query}");
        told_similar += usize::from(tuned(&before.similar_queries) != tuned(&after.similar_queries));
    }
    assert!(told_similar > 0, "the scores that were turned teach nothing");
}

#[test]
fn figures_of_new_documents_do_not_depend_on_the_scores_of_these_documents() {
    let log = Log::new();
    let (mut told_own, mut told_others) = (0, 0);
    for query in [0, 3] {
        let candidates = log.relations().candidates[query].clone();
        for relevant in candidates.iter().filter(|one| one.logit.is_some()) {
            let qrels = format!("q\td\tr\n{}\t{}\t1\n", query + 1, relevant.document + 1);
            let figures = |document: u32| {
                let mut relations = log.relations();
                for candidate in relations.candidates.iter_mut().flatten() {
                    if candidate.document == document {
                        candidate.logit = candidate.logit.map(|logit| -3.0 * logit);
                    }
                }
                log.figures(&relations, &qrels)
            };
            let (before, after) = (figures(u32::MAX), figures(relevant.document));
            assert_eq!(
                tuned(&before.new_documents),
                tuned(&after.new_documents),
                "{relevant:?}"
            );
            told_own += usize::from(tuned(&before.own_queries) != tuned(&after.own_queries));
            for other in &candidates {
                let after = figures(other.document);
                told_others += usize::from(tuned(&before.new_documents) != tuned(&after.new_documents));
            }
        }
    }
    assert!(
        told_own > 0 && told_others > 0,
        "the scores that were changed teach nothing"
    );
}

#[test]
fn every_figure_stands_beside_the_same_by_traffic_where_queries_were_not_asked_equally_often() {
    let log = Log::new();
    let item = |id: &str, text: &str, count: Option<u32>| InputItem {
        id: Some(id.into()),
        text: text.into(),
        count,
        ..InputItem::default()
    };
    // The first two are one text, asked ten times in all.
    let mut items = vec![item("a", QUERIES[0], Some(6)), item("b", QUERIES[0], Some(4))];
    let others = QUERIES[1..].iter().zip(["c", "d", "e", "f", "g"]);
    items.extend(others.map(|(text, id)| item(id, text, None)));
    let queries = Rc::new(Texts::from_items(items, Role::Queries).expect("texts"));
    let job = Job::new(&log.host);
    let documents = texts(&DOCUMENTS, Role::Documents);
    let relations = block_on(log.tuner.synthesize(queries, documents, OPTIONS, &job)).expect("relations");

    // A text's ten times are its own, whichever of its ids is judged.
    for (judged, counts) in [(["a", "c"], [10.0, 1.0]), (["b", "d"], [10.0, 1.0])] {
        let row = |(place, id): (usize, &&str)| format!("{id}\t{}\t1\n", 2 * place + 3);
        let qrels: String = judged.iter().enumerate().map(row).collect();
        let verdict = log.verdict(&relations, &format!("q\td\tr\n{qrels}"));
        let of_base: Vec<f64> = (verdict.rankings.base.queries.values())
            .map(|metrics| metrics.ndcg_10)
            .collect();
        let sum: f64 = of_base.iter().zip(counts).map(|(ndcg, count)| count * ndcg).sum();
        let expected = sum / counts.iter().sum::<f64>();
        let even = of_base.iter().sum::<f64>() / 2.0;
        assert!(
            (expected - even).abs() > 1e-3,
            "counts make no difference to {judged:?}"
        );

        let figures = &verdict.figures;
        for figure in [&figures.own_queries, &figures.similar_queries, &figures.new_queries] {
            let ndcg = &figure.as_ref().expect("a figure").judged.ndcg_10;
            let traffic = ndcg.traffic.expect("a figure by traffic");
            assert!(
                (traffic.base - expected).abs() < 1e-12,
                "{judged:?}: {} is not {expected}",
                traffic.base
            );
            assert!((ndcg.base - even).abs() < 1e-12);
        }
        assert!(verdict.judged.ndcg_10.traffic.is_some());
    }
}
