//! Chapter 35, part 63: what stands beside a recording that is a lesson, and the page that a course begins with.
//!
//! A lesson is text and stops. Each stop is a link to its event, a question, and an answer that is folded away until it
//! was thought about; all of that is plain HTML, so it needs no script of its own.
//!
//! Before: `trace/page/sums.rs`. Next: `start.rs`.

use std::fmt::Write;

use super::escaped;

/// What a lesson says. Its texts may have `code` in them, between backticks.
#[derive(Clone, Debug, Default)]
pub struct LessonText {
    /// Its place in the course, from 1.
    pub number: u32,
    /// Its title.
    pub question: String,
    /// What it is to set right, in a sentence.
    pub wrong_idea: String,
    /// What it is about, in paragraphs.
    pub about: Vec<String>,
    /// What to ask where its recording stops.
    pub stops: Vec<Stop>,
    /// What to keep in mind; empty: nothing is said.
    pub remember: String,
}

/// A question about a moment.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// What to think about, in paragraphs.
    pub question: Vec<String>,
    /// What is so.
    pub answer: String,
}

/// What is beside a recording.
#[derive(Clone, Debug, Default)]
pub struct Lesson {
    /// What is said.
    pub text: LessonText,
    /// The numbers of the events at which it stops, one for each stop of the text.
    pub events: Vec<u64>,
    /// What the rules find in the recording, a sentence each.
    pub found: Vec<String>,
    /// The file of its page.
    pub file: String,
}

impl Lesson {
    /// As HTML, with links to the lessons before and after it.
    pub(super) fn html(&self, before: Option<&Lesson>, after: Option<&Lesson>) -> String {
        let LessonText { number, question, wrong_idea, about, stops, remember } = &self.text;
        let mut html = String::from("<aside class=\"lesson\" aria-label=\"Lesson\">\n");
        html.push_str(&self.links(before, after));
        let question = marked(question);
        let _ = writeln!(html, "<h2><span class=\"number\">{number}</span> {question}</h2>");
        let _ = writeln!(html, "<p class=\"idea\"><b>Wrong idea:</b> {}</p>", marked(wrong_idea));
        paragraphs(about, &mut html);
        for ((stop, seq), number) in stops.iter().zip(&self.events).zip(1..) {
            let _ = writeln!(
                html,
                "<section class=\"stop\"><h3>Stop {number} <a href=\"#seq={seq}\">go to event {seq}</a></h3>"
            );
            paragraphs(&stop.question, &mut html);
            let answer = marked(&stop.answer);
            let _ = writeln!(
                html,
                "<details><summary>Answer to stop {number}</summary><p>{answer}</p></details></section>"
            );
        }
        html.push_str("<section class=\"end\"><h3>At the end</h3>\n");
        if !remember.is_empty() {
            let _ = writeln!(html, "<p><b>Remember:</b> {}</p>", marked(remember));
        }
        match self.found.as_slice() {
            [] => html.push_str("<p><code>oneloop check</code> finds nothing wrong in this run.</p>\n"),
            found => {
                html.push_str("<p><code>oneloop check</code> finds in this run:</p>\n<ul>\n");
                for text in found {
                    let _ = writeln!(html, "<li>{}</li>", marked(text));
                }
                html.push_str("</ul>\n");
            }
        }
        html.push_str("</section>\n</aside>\n");
        html
    }

    fn links(&self, before: Option<&Lesson>, after: Option<&Lesson>) -> String {
        let mut html = String::from("<nav aria-label=\"Course\"><a href=\"index.html\">All lessons</a>");
        for (lesson, what) in [(before, "Before"), (after, "Next")] {
            if let Some(lesson) = lesson {
                let (file, number) = (escaped(&lesson.file), lesson.text.number);
                let _ = write!(html, " <a href=\"{file}\">{what}: {number}</a>");
            }
        }
        html + "</nav>\n"
    }
}

/// The page that lists all lessons.
pub(super) fn index(lessons: &[Lesson]) -> String {
    let mut html = String::from(
        "<main class=\"course\">\n<h1>How an event loop works</h1>\n<p>Each lesson is a short program, and a recording of \
         what its loop did, to be gone through event by event, forwards and backwards. At its stops are questions: \
         predict first, then unfold the answer. Each needs only what came before it. Nothing here asks the network for \
         anything.</p>\n<ol>\n",
    );
    for Lesson { text, file, .. } in lessons {
        let (number, question, idea) = (text.number, marked(&text.question), marked(&text.wrong_idea));
        let file = escaped(file);
        let _ = writeln!(
            html,
            "<li><span class=\"number\">{number}</span><div><a href=\"{file}\">{question}</a><p>Wrong idea: {idea}</p></div></li>"
        );
    }
    html + "</ol>\n</main>\n"
}

fn paragraphs(texts: &[String], html: &mut String) {
    for text in texts {
        let _ = writeln!(html, "<p>{}</p>", marked(text));
    }
}

/// Text as HTML has it, with what is between backticks as code.
fn marked(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let pieces = pieces.map(|(at, piece)| match at % 2 {
        0 => escaped(piece),
        _ => format!("<code>{}</code>", escaped(piece)),
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_never_taken_for_html() {
        assert_eq!(marked("`<b>` & <i>"), "<code>&lt;b&gt;</code> &amp; &lt;i&gt;");
        let text = LessonText { question: "</aside><script>".into(), ..LessonText::default() };
        let lesson = Lesson { text, file: "\"><img>".into(), ..Lesson::default() };
        for html in [lesson.html(Some(&lesson), None), index(std::slice::from_ref(&lesson))] {
            assert!(!html.contains("<script>") && !html.contains("\"><img>"), "{html}");
        }
    }
}
