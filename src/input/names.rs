//! Names that columns have in the files people export, most telling first.
//!
//! Compared without case, spaces and punctuation: `Search term`, `search_term` and `searchTerm` are the same.

use super::options::Role;

const ID: &[&str] = &["id", "uid", "uuid", "key", "identifier", "nr", "no"];
const QUERY_ID: &[&str] = &[
    "queryid",
    "qid",
    "topicid",
    "questionid",
    "searchid",
    "anfrageid",
    "requeteid",
];
#[rustfmt::skip]
const DOCUMENT_ID: &[&str] = &[
    "docid", "documentid", "did", "docno", "corpusid", "passageid", "pid", "productid", "itemid", "articleid", "sku",
    "asin", "artikelnummer", "artikelnr", "artnr", "produktid", "dokumentid", "reference",
];
#[rustfmt::skip]
const QUERY: &[&str] = &[
    "query", "querytext", "searchquery", "searchterm", "searchphrase", "searchterms", "queries", "topqueries", "q",
    "suchbegriff", "suchbegriffe", "suchanfrage", "suchanfragen", "häufigstesuchanfragen", "suchwort", "suchtext",
    "anfrage", "begriff", "requête", "requete", "requêteslesplusfréquentes", "termederecherche", "recherche",
    "consulta", "consultas", "búsqueda", "busqueda", "términodebúsqueda", "terminodebusqueda", "ricerca",
    "terminediricerca", "zoekterm", "zoekopdracht", "zoekwoord", "pesquisa", "termodepesquisa", "busca", "zapytanie",
    "fraza", "sökord", "søgeord", "søkeord", "hakusana", "запрос", "поисковыйзапрос", "查询", "搜索词", "检索词", "关键词",
    "クエリ", "検索キーワード", "検索語", "검색어", "keyword", "keywords", "keyphrase", "phrase", "term", "search", "question",
    "questions", "frage", "pregunta", "domanda", "vraag", "pergunta", "вопрос", "问题", "質問", "質問文", "질문",
    "text", "texte", "texto", "testo", "tekst", "текст", "文本", "テキスト", "텍스트", "sentence", "utterance", "title",
];
#[rustfmt::skip]
const TITLE: &[&str] = &[
    "title", "doctitle", "pagetitle", "producttitle", "productname", "name", "headline", "heading", "subject", "titel",
    "überschrift", "produktname", "artikelname", "artikelbezeichnung", "bezeichnung", "betreff", "titre", "nom", "título",
    "titulo", "nombre", "titolo", "nome", "naam", "nazwa", "tytuł", "заголовок", "название", "наименование", "标题", "名称",
    "タイトル", "商品名", "제목", "question", "frage", "pregunta", "domanda", "vraag", "pergunta",
];
#[rustfmt::skip]
const BODY: &[&str] = &[
    "text", "body", "fulltext", "content", "contents", "passage", "passagetext", "documenttext", "document", "doc",
    "description", "productdescription", "longdescription", "abstract", "answer", "answers", "chunk", "paragraph",
    "article", "summary", "shortdescription", "beschreibung", "produktbeschreibung", "langbeschreibung", "inhalt",
    "volltext", "artikeltext", "antwort", "dokument", "contenu", "texte", "réponse", "corps", "texto", "contenido",
    "descripción", "descripcion", "respuesta", "cuerpo", "testo", "contenuto", "descrizione", "risposta", "tekst",
    "inhoud", "omschrijving", "beschrijving", "antwoord", "conteúdo", "descrição", "resposta", "opis", "treść", "odpowiedź",
    "текст", "описание", "содержание", "ответ", "正文", "内容", "描述", "文本", "本文", "説明", "テキスト", "본문", "내용", "설명",
];
#[rustfmt::skip]
const COUNT: &[&str] = &[
    "count", "counts", "frequency", "freq", "searches", "totalsearches", "searchcount", "searchvolume", "volume", "hits",
    "occurrences", "times", "total", "num", "cnt", "impressions", "eventcount", "sessions", "anzahl", "häufigkeit",
    "haeufigkeit", "suchvolumen", "suchen", "anzahlsuchen", "impressionen", "sitzungen", "nombrederecherches", "fréquence", "frequence",
    "frecuencia", "cantidad", "impresiones", "frequenza", "conteggio", "aantal", "frequência", "frequencia", "contagem",
    "liczba", "częstotliwość", "количество", "частота", "次数", "频率", "回数", "頻度", "횟수", "빈도",
];
/// Names that queries have in one file and their frequencies in another; the cells tell which.
const QUERIES_OR_COUNT: &[&str] = &["queries", "suchanfragen", "consultas"];
/// Columns that are not used, but whose names show that a row is a header.
#[rustfmt::skip]
const OTHER: &[&str] = &[
    "url", "link", "date", "datum", "timestamp", "time", "language", "lang", "sprache", "category", "kategorie", "price",
    "preis", "brand", "marke", "score", "rating", "relevance", "label", "clicks", "klicks", "ctr", "position", "user",
    "userid", "session", "sessionid", "author", "tags", "type", "source", "metadata",
];

#[rustfmt::skip]
const ASKED: &[&str] = &[
    "query", "q", "topic", "question", "search", "searchterm", "suchbegriff", "suchanfrage", "anfrage", "requête", "requete",
    "consulta",
];
#[rustfmt::skip]
const FOUND: &[&str] = &[
    "doc", "document", "passage", "corpus", "product", "item", "article", "dokument", "artikel", "produkt", "produit",
    "documento", "producto",
];
/// A score may be what a search engine gave: only without a better name it is the relevance.
#[rustfmt::skip]
const RELEVANCE: &[&str] = &[
    "relevance", "rel", "relevancy", "relevant", "grade", "label", "rating", "judgement", "judgment", "gain", "relevanz",
    "bewertung", "pertinence", "relevancia", "rilevanza", "score",
];

/// Names of the columns of judgements: query, document, relevance; those of ids before those that may be of texts.
pub(super) const OF_JUDGEMENTS: [&[&[&str]]; 3] = [&[QUERY_ID, ASKED], &[DOCUMENT_ID, FOUND], &[RELEVANCE]];

/// What a column may hold, for one role.
pub(super) fn ids(role: Role) -> [&'static [&'static str]; 2] {
    match role {
        Role::Queries => [ID, QUERY_ID],
        Role::Documents => [ID, DOCUMENT_ID],
    }
}

/// Names of the column with the texts.
pub(super) fn texts(role: Role) -> &'static [&'static str] {
    match role {
        Role::Queries => QUERY,
        Role::Documents => BODY,
    }
}

/// Names of the column with the titles. Queries have none.
pub(super) fn titles(role: Role) -> &'static [&'static str] {
    match role {
        Role::Queries => &[],
        Role::Documents => TITLE,
    }
}

/// Names of the column with frequencies. Documents have none: what is counted there is stock, not mentions.
pub(super) fn counts(role: Role) -> &'static [&'static str] {
    match role {
        Role::Queries => COUNT,
        Role::Documents => &[],
    }
}

/// Names of columns of texts that may hold frequencies as well.
pub(super) fn texts_or_counts(role: Role) -> &'static [&'static str] {
    match role {
        Role::Queries => QUERIES_OR_COUNT,
        Role::Documents => &[],
    }
}

/// Only letters and digits, in lower case.
pub(super) fn plain(name: &str) -> String {
    name.chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether this is the name of any kind of column.
pub(super) fn is_known(name: &str) -> bool {
    let name = plain(name);
    [ID, QUERY_ID, DOCUMENT_ID, QUERY, TITLE, BODY, COUNT, OTHER]
        .iter()
        .any(|list| list.contains(&name.as_str()))
}

/// Whether this is the name of a column of texts, so that it can be the header of a file with one column.
pub(super) fn is_text_name(name: &str, role: Role) -> bool {
    let name = plain(name);
    texts(role).contains(&name.as_str()) || titles(role).contains(&name.as_str())
}
