//! An element of a page, found by a CSS selector.
//!
//! Pages are anyone's. A parser of HTML takes time that grows with the square of the nesting, so a page is read piece by
//! piece, and between the pieces it is seen whether it is nested too deeply, has become too many elements (one short
//! tag can stand for many), or is waited for no more.

use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::{StrTendril, TendrilSink};
use scraper::{ElementRef, Html, HtmlTreeSink, Selector};

use super::offload::Stop;

/// The longest page that is looked at, in bytes.
const LONGEST_PAGE: usize = 4 << 20;
/// So many bytes are parsed at once.
const PARSED_AT_ONCE: usize = 256;
/// The most elements, texts and comments of a page.
const MOST_NODES: usize = 200_000;
/// How deeply they may be nested; browsers themselves go no deeper than 512.
const DEEPEST_NESTING: usize = 1_000;
/// The most elements, texts and comments where the selector has `:has()`: each element is then a search of its own, which
/// cannot be stopped.
const MOST_NODES_BELOW_HAS: usize = 20_000;

/// The attribute, or the text, of the first element that the selector finds.
pub(super) fn element(selector: &str, attribute: Option<&str>, body: &[u8], stop: &Stop) -> Result<String, String> {
    if body.len() > LONGEST_PAGE {
        return Err(format!("the page has {} bytes, and {LONGEST_PAGE} are allowed", body.len()));
    }
    let parsed = Selector::parse(selector).map_err(|_| format!("{selector} is no selector"))?;
    let most = if selector.to_ascii_lowercase().contains(":has") { MOST_NODES_BELOW_HAS } else { MOST_NODES };
    let page = parse(&String::from_utf8_lossy(body), most, stop)?;
    for found in page.tree.nodes().filter_map(ElementRef::wrap) {
        if stop.is_set() {
            return Err(nobody());
        }
        if parsed.matches(&found) {
            return match attribute {
                None => Ok(found.text().collect::<String>().trim().to_owned()),
                Some(attribute) => {
                    let value = found.value().attr(attribute).map(ToOwned::to_owned);
                    value.ok_or_else(|| format!("the first {selector} has no attribute {attribute}"))
                }
            };
        }
    }
    Err(format!("the page has no {selector}"))
}

fn parse(page: &str, most: usize, stop: &Stop) -> Result<Html, String> {
    let mut parser = parse_document(HtmlTreeSink::new(Html::new_document()), ParseOpts::default());
    let mut rest = page;
    while !rest.is_empty() {
        if stop.is_set() {
            return Err(nobody());
        }
        let mut end = PARSED_AT_ONCE.min(rest.len());
        while !rest.is_char_boundary(end) {
            end += 1;
        }
        let (piece, later) = rest.split_at(end);
        parser.process(StrTendril::from(piece));
        rest = later;
        let tree = &parser.tokenizer.sink.sink.0.borrow().tree;
        if tree.values().len() > most {
            return Err(format!("the page has more than {most} elements and texts"));
        }
        // The newest node is where the parser is.
        if tree.nodes().next_back().is_some_and(|newest| newest.ancestors().nth(DEEPEST_NESTING).is_some()) {
            return Err(format!("the page is nested more than {DEEPEST_NESTING} deep"));
        }
    }
    Ok(parser.finish())
}

fn nobody() -> String {
    "nobody waits for the page any more".into()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn find(selector: &str, attribute: Option<&str>, page: &str) -> Result<String, String> {
        element(selector, attribute, page.as_bytes(), &Stop::default())
    }

    #[test]
    fn an_element_gives_its_attribute_or_its_text_and_what_is_not_there_is_named() {
        let page = "<form><input name=csrf value='a&amp;b'><b> Hi <i>you</i></b></form>";
        assert_eq!(find("input[name=csrf]", Some("value"), page).as_deref(), Ok("a&b"));
        assert_eq!(find("b", None, page).as_deref(), Ok("Hi you"));
        assert_eq!(find("p", None, page), Err("the page has no p".into()));
        assert_eq!(find("b", Some("id"), page), Err("the first b has no attribute id".into()));
        assert_eq!(find("form:has(> b) input", Some("name"), page).as_deref(), Ok("csrf"));
    }

    #[test]
    fn a_page_is_the_same_wherever_the_pieces_end() {
        for before in 0..=PARSED_AT_ONCE {
            let page = format!("{}<p title='é&amp;ü'>Grüße, \u{1f980} &auml;</p>", "x".repeat(before));
            assert_eq!(find("p", None, &page).as_deref(), Ok("Grüße, \u{1f980} ä"), "{before}");
            assert_eq!(find("p", Some("title"), &page).as_deref(), Ok("é&ü"), "{before}");
        }
    }

    #[test]
    fn a_page_that_would_cost_much_is_refused_at_once() {
        let many = "<b><i><b><i><b><i><b><i>".repeat(100) + &"<p>x".repeat(500_000);
        let cases = [
            ("p", "<div>".repeat(100_000), "the page is nested more than 1000 deep"),
            ("p", "<zz></yy>".repeat(50_000), "the page is nested more than 1000 deep"),
            ("i", "<p>".repeat(300_000), "the page has more than 200000 elements and texts"),
            ("u", many, "the page has more than 200000 elements and texts"),
            ("p:has(u)", "<p>".repeat(30_000), "the page has more than 20000 elements and texts"),
            ("p", "x".repeat(LONGEST_PAGE + 1), "the page has 4194305 bytes, and 4194304 are allowed"),
        ];
        for (selector, page, fault) in cases {
            let began = Instant::now();
            assert_eq!(find(selector, None, &page), Err(fault.into()));
            println!("{fault}: {:?}", began.elapsed());
            assert!(began.elapsed() < Duration::from_secs(20), "{fault}: {:?}", began.elapsed());
        }
    }

    #[test]
    fn reading_ends_soon_after_nobody_waits_for_it() {
        // Each piece ends in a comment at the top, so that the nesting is not seen.
        let deep = "<dl></html><!-->".repeat(99_000);
        let wide = "<p>".repeat(19_000);
        for (selector, page) in [("p", deep), ("p:has(~ p ~ p ~ p ~ x)", wide)] {
            let stop = Stop::default();
            let reading = std::thread::spawn({
                let stop = stop.clone();
                move || element(selector, None, page.as_bytes(), &stop)
            });
            std::thread::sleep(Duration::from_millis(800));
            let began = Instant::now();
            stop.set();
            let said = reading.join().unwrap();
            println!("{selector}: {:?}", began.elapsed());
            assert_eq!(said, Err(nobody()), "{selector}: the page has been read before, and the test is of no use");
            assert!(began.elapsed() < Duration::from_secs(3), "{selector}: {:?}", began.elapsed());
        }
    }
}
