//! What is seen.

use std::fs;

use ratatui::style::{Color, Modifier};

use super::{BEST, Run, busy, kept, text};
use crate::screen::keys::Action;
use crate::screen::look::Look;
use crate::screen::model::{Model, PANES, Pane};

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);

/// The page that one of the pictures is on.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/watching.md");

/// With this pane chosen.
fn at(pane: Pane) -> Model {
    let mut model = Model::default();
    (model.pane, model.tab) = (pane, pane);
    model
}

/// All pictures that are kept, by name.
fn pictures() -> Vec<(&'static str, String)> {
    let draw = |mut run: Run, model: &Model, size| text(&run.picture(model, BEST, size));
    let live = |run: Run| Run { is_program: true, ..run };
    let mut help = Model::default();
    help.say("");
    help.key(crate::screen::key::Key::Letter('?'), &Run::hello(0).scene());
    vec![
        ("hello-80x24", draw(Run::hello(13), &Model::default(), SMALL)),
        ("hello-120x40", draw(Run::hello(13), &Model::default(), LARGE)),
        ("task-80x24", draw(Run::hello(23), &at(Pane::Task), SMALL)),
        ("looking-back-80x24", draw(live(Run::hello(20)), &at(Pane::Timers), SMALL)),
        ("busy-80x24", draw(busy(), &Model::default(), SMALL)),
        ("busy-120x40", draw(busy(), &Model::default(), LARGE)),
        ("help-120x40", draw(live(Run::hello(13)), &help, LARGE)),
    ]
}

#[test]
fn the_screen_looks_as_it_is_kept() {
    for (name, picture) in pictures() {
        let kept = fs::read_to_string(kept(name)).expect("it is kept");
        assert!(picture == kept, "{name} is now\n{picture}\nand was\n{kept}\n`.ci/remake screens` keeps it");
    }
}

#[test]
fn the_page_shows_the_picture_that_is_kept() {
    let page = fs::read_to_string(PAGE).expect("it is there");
    assert!(page.contains(&fs::read_to_string(kept("hello-80x24")).expect("it is kept")));
}

#[test]
#[ignore = "writes the pictures anew, for .ci/remake"]
fn draw_the_pictures_anew() {
    let mut page = fs::read_to_string(PAGE).expect("it is there");
    for (name, picture) in pictures() {
        if let Ok(before) = fs::read_to_string(kept(name)) {
            page = page.replace(&before, &picture);
        }
        fs::write(kept(name), picture).expect("the folder is there");
    }
    fs::write(PAGE, page).expect("it can be written");
}

#[test]
fn any_size_can_be_drawn_with_any_pane() {
    let mut runs = [Run::hello(0), Run::hello(13), busy()];
    for run in &mut runs {
        for pane in PANES {
            let mut model = at(pane);
            model.say("two\nlines");
            for size in
                (1..130).step_by(3).flat_map(|width| [(width, 1), (width, 13), (width, 24), (width, 41)])
            {
                run.picture(&model, BEST, size);
            }
            let model = at(pane);
            for height in 1..60 {
                run.picture(&model, BEST, (120, height));
            }
        }
    }
}

#[test]
fn there_is_no_colour_where_none_is_wanted_and_no_letter_beside_ascii() {
    let look = Look { color: false, unicode: false };
    for size in [SMALL, LARGE] {
        let picture = busy().picture(&Model::default(), look, size);
        for cell in &picture.content {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
            assert!(cell.symbol().is_ascii(), "{:?}", cell.symbol());
        }
        let best = busy().picture(&Model::default(), BEST, size);
        assert!(best.content.iter().any(|cell| cell.fg == Color::Cyan));
        // What is drawn stands for something: no sign has become a question mark.
        assert!(!text(&picture).contains('?') || text(&best).contains('?'), "{}", text(&picture));
    }
}

#[test]
fn hostile_names_and_output_are_shown_without_doing_anything() {
    let hostile = r"\u001b[2Jred\u0007\n\u202eevil\u009b";
    let lines = include_str!("../../../../../tests/screens/hello.trace").replace("task-1", hostile);
    let mut run = Run::new(&lines, 13);
    run.write(3, true, "\u{1b}]0;title\u{7}\u{1b}[31m\tred\r\n\u{202e}\u{9b}");
    for pane in PANES {
        for size in [SMALL, LARGE] {
            let picture = run.picture(&at(pane), BEST, size);
            for cell in &picture.content {
                let bad = |letter: char| letter.is_control() || ('\u{202a}'..='\u{202e}').contains(&letter);
                assert!(!cell.symbol().contains(bad), "{:?}", cell.symbol());
            }
        }
    }
    let picture = run.picture(&at(Pane::Tasks), BEST, LARGE);
    assert!(text(&picture).contains("[2Jred"), "{}", text(&picture));
}

#[test]
fn names_in_wide_letters_and_of_any_length_stay_in_their_places() {
    let name = "名前".repeat(100);
    let lines = include_str!("../../../../../tests/screens/hello.trace").replace("task-1", &name);
    let picture = Run::new(&lines, 13).picture(&Model::default(), BEST, LARGE);
    for y in 6..38 {
        let line = picture[(60, y)].symbol();
        assert!("│┬┴├┤┼".contains(line), "row {y}: {line:?}\n{}", text(&picture));
    }
}

#[test]
fn the_state_and_the_way_of_a_task_are_strong() {
    let model = at(Pane::Task);
    let picture = Run::hello(13).picture(&model, BEST, SMALL);
    let lit = picture.content.iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED));
    assert_eq!(lit.map(|cell| cell.symbol()).collect::<String>(), "Suspended");
    assert!(text(&picture).contains("◀┛"), "it was suspended just now:\n{}", text(&picture));
    let picture = Run::hello(12).picture(&model, BEST, SMALL);
    let lit = picture.content.iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED));
    assert_eq!(lit.map(|cell| cell.symbol()).collect::<String>(), "Polling");
    assert!(!text(&picture).contains("◀┛"), "it only armed a timer:\n{}", text(&picture));
}

#[test]
fn the_title_of_the_chosen_pane_is_not_dim() {
    let picture = Run::hello(13).picture(&at(Pane::Tasks), BEST, LARGE);
    let row = |y: u16| (0..LARGE.0).map(|x| picture[(x, y)].symbol()).collect::<String>();
    let y = (0..LARGE.1).find(|y| row(*y).contains("─ Tasks")).expect("it is a pane");
    let title: Vec<_> =
        (0..LARGE.0).map(|x| &picture[(x, y)]).filter(|cell| cell.fg == Color::Cyan).collect();
    assert!(!title.is_empty() && title.iter().all(|cell| cell.modifier == Modifier::BOLD), "{title:?}");
}

#[test]
fn both_cursors_are_seen() {
    let picture = text(&Run::hello(8).picture(&Model::default(), BEST, SMALL));
    let ran = picture.lines().find(|line| line.contains("▶ 39")).expect(&picture);
    assert!(ran.contains("sleep"), "{picture}");
    // What is next is the end of the turn, and after it task 1.
    let picture = text(&Run::hello(10).picture(&Model::default(), BEST, SMALL));
    let next = picture.lines().find(|line| line.contains("▷38")).expect(&picture);
    assert!(next.contains("let task = spawn("), "{picture}");
}

#[test]
fn the_help_has_every_key() {
    let mut model = Model::default();
    let run = Run { is_program: true, ..Run::hello(0) };
    model.key(crate::screen::key::Key::Letter('?'), &run.scene());
    let mut seen = String::new();
    for top in 0..60 {
        model.top.set(top);
        let mut run = Run { is_program: true, ..Run::hello(0) };
        seen.push_str(&text(&run.picture(&model, BEST, SMALL)));
    }
    for binding in crate::screen::keys::GROUPS.iter().flat_map(|(_, bindings)| *bindings) {
        assert!(seen.contains(binding.does), "{}\n{seen}", binding.does);
        assert!(binding.action == Action::Help || seen.contains(binding.shown), "{}", binding.shown);
    }
}
