//! The screen without a terminal: what keys do, and pictures, compared with those in `tests/screens`.
//!
//! `.ci/remake screens` draws those anew.

mod pictures;
mod steps;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use oneloop::trace::fold::History;
use oneloop::trace::read::Recording;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::index::Index;
use super::look::Look;
use super::model::Model;
use super::scene::Scene;
use super::view;
use crate::session::Written;
use crate::session::sources::Sources;

const BEST: Look = Look { color: true, unicode: true };

/// Everything that a scene is of.
struct Run {
    history: History,
    written: Vec<Written>,
    index: Index,
    sources: Sources,
    is_program: bool,
}

impl Run {
    fn new(lines: &str, at: usize) -> Run {
        let events = Recording::read(lines.as_bytes()).expect("it is a recording").events;
        let mut history = History::new(events);
        history.go(at);
        let mut index = Index::default();
        index.update(&history);
        let sources = Sources::new(env!("CARGO_MANIFEST_DIR"));
        Run { history, written: Vec::new(), index, sources, is_program: false }
    }

    /// The example of that name, after so many events.
    fn hello(at: usize) -> Run {
        let mut run = Run::new(include_str!("../../../../tests/screens/hello.trace"), at);
        run.write(5, false, "main: started\n");
        run.write(11, false, "Hello\n");
        run
    }

    fn write(&mut self, after: usize, stderr: bool, text: &str) {
        self.written.push(Written { after, stderr, exact: true, text: text.into() });
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            name: "hello",
            is_program: self.is_program,
            history: &self.history,
            index: &self.index,
            written: &self.written,
            line: None,
            page: None,
            ended: None,
            goes_on: false,
        }
    }

    fn picture(&mut self, model: &Model, look: Look, (width, height): (u16, u16)) -> Buffer {
        let file = self.scene().ran().map(|line| line.place.file);
        let page = file.and_then(|file| self.sources.lines(file)).map(<[String]>::to_vec);
        let mut picture = Buffer::empty(Rect::new(0, 0, width, height));
        view::draw(&Scene { page: page.as_deref(), ..self.scene() }, model, look, &mut picture);
        picture
    }
}

/// A run in which there is something in every pane: forty tasks, timers on three levels, sources, threads and jobs.
fn busy() -> Run {
    let mut lines = String::from("{\"k\":\"oneloop\",\"v\":1}\n");
    for (id, line) in [(1, 46), (2, 38), (3, 28), (4, 33)] {
        writeln!(lines, r#"{{"k":"site","id":{id},"file":"examples/hello.rs","line":{line},"col":5}}"#)
            .unwrap();
    }
    let mut events: Vec<String> = Vec::new();
    let mut add = |event: String| events.push(event);
    let spawn = |task: u32, name: &str, by: &str| {
        format!(r#""k":"spawn","task":{task},"name":"{name}","by":{by},"site":2,"future":"f","size":1"#)
    };
    add(spawn(0, "main", "\"loop\""));
    add(r#""k":"turn_begin","turn":7,"ready":1,"timers":0,"sources":0,"jobs":0"#.into());
    for task in 1..40 {
        let name = if task % 3 == 0 { "fetch".into() } else { format!("task-{task}") };
        add(spawn(task, &name, r#"{"task":0}"#));
    }
    for (source, what) in ["listener", "connection", "connection"].iter().enumerate() {
        add(format!(r#""k":"io_open","source":{source},"what":"{what}","by":{{"task":1}},"site":3"#));
        add(format!(
            r#""k":"io_interest","source":{source},"wait":"readable","by":{{"task":{}}}"#,
            source + 2
        ));
    }
    add(r#""k":"thread_start","thread":"oneloop-blocking-0""#.into());
    for job in 0..3 {
        add(format!(r#""k":"job_new","job":{job},"by":{{"task":5}},"site":4"#));
    }
    add(r#""k":"job_start","th":"oneloop-blocking-0","job":0,"waited":5"#.into());
    add(r#""k":"permit_take","line":0,"by":{"task":1}"#.into());
    for (ticket, task) in [(0, 6), (1, 7)] {
        add(format!(
            r#""k":"line_wait","line":0,"ticket":{ticket},"wait":"lock","by":{{"task":{task}}},"site":4"#
        ));
    }
    for task in 1..35 {
        let at = [5, 900, 70_000, 9_000_000][task as usize % 4] * 1_000_000_u64;
        add(format!(r#""k":"poll_begin","task":{task},"poll":1,"waited":0"#));
        add(format!(r#""k":"timer_arm","timer":{task},"by":{{"task":{task}}},"at":{at},"place":[1,7]"#));
        let (wait, site) = if task % 2 == 0 { ("readable", 4) } else { ("sleep", 3) };
        add(format!(
            r#""k":"poll_end","task":{task},"poll":1,"took":0,"suspended":["{wait}",{site}],"wakers":1"#
        ));
    }
    add(r#""k":"wake","task":3,"by":{"timer":3},"effect":"queued""#.into());
    add(r#""c":148,"k":"poll_begin","task":35,"poll":1,"waited":0"#.into());
    for (n, event) in events.iter().enumerate() {
        writeln!(lines, r#"{{"n":{n},"t":{},{event}}}"#, n * 1_000).unwrap();
    }
    let mut run = Run::new(&lines, usize::MAX);
    run.write(80, false, "page 1: 12 pictures\npage 2: 11 pictures\n");
    run.write(90, true, "page 3 is not there\n");
    run
}

/// What is seen, without colours.
fn text(picture: &Buffer) -> String {
    let area = picture.area;
    let mut text = String::new();
    for y in 0..area.height {
        let mut row = String::new();
        let mut x = 0;
        while x < area.width {
            let symbol = picture[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(ratatui::text::Span::raw(symbol).width()).unwrap_or(1).max(1);
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// Where a picture is kept.
fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(name).with_extension("txt")
}
