//! What keys do: to the model, and what they ask of the session.

use oneloop::trace::TaskId;

use super::{BEST, Run, busy};
use crate::screen::key::Key::{self, *};
use crate::screen::model::{Model, Overlay, Pane, Request};

fn press(model: &mut Model, run: &Run, keys: &[Key]) -> Request {
    keys.iter().map(|key| model.key(*key, &run.scene())).last().expect("a key")
}

fn letters(text: &str) -> Vec<Key> {
    text.chars().map(Letter).collect()
}

fn command(text: &str) -> Request {
    Request::Command(text.into())
}

#[test]
fn keys_are_commands_of_line_mode() {
    let (mut model, run) = (Model::default(), Run::hello(13));
    for (key, asked) in [
        (Letter('n'), "n"),
        (Right, "n"),
        (Letter('p'), "p"),
        (Letter('N'), "bn"),
        (Left, "bn"),
        (Letter('T'), "bt"),
        (Letter('c'), "c"),
        (Letter('o'), "to poll 1"),
        (Letter('w'), "to wake 1"),
        (Letter('y'), "why 1"),
        (Letter('F'), "to finding"),
        (Home, "go 0"),
        (End, "go 43"),
    ] {
        assert_eq!(press(&mut model, &run, &[key]), command(asked), "{key:?}");
    }
}

#[test]
fn enter_repeats_the_last_command() {
    let (mut model, run) = (Model::default(), Run::hello(13));
    assert_eq!(press(&mut model, &run, &[Enter]), command("n"));
    press(&mut model, &run, &[Letter('p')]);
    assert_eq!(press(&mut model, &run, &[Letter('?'), Escape, Enter]), command("p"));
}

#[test]
fn any_command_can_be_typed_and_mended() {
    let (mut model, run) = (Model::default(), Run::hello(13));
    press(&mut model, &run, &letters(":to poll 13"));
    assert_eq!(model.prompt.as_ref().map(|prompt| prompt.text()).as_deref(), Some("to poll 13"));
    assert_eq!(press(&mut model, &run, &[Backspace, Enter]), command("to poll 1"));
    assert_eq!(model.prompt, None);
    assert_eq!(press(&mut model, &run, &[Letter(':'), Up, Enter]), command("to poll 1"));
    assert_eq!(press(&mut model, &run, &[Letter(':'), Letter('q'), Enter]), Request::Quit);
    assert_eq!(press(&mut model, &run, &[Letter(':'), Letter('n'), Escape]), Request::Nothing);
    assert_eq!(model.prompt, None);
    assert_eq!(press(&mut model, &run, &[Letter('g'), Letter('7'), Enter]), command("go 7"));
}

#[test]
fn what_if_is_asked_only_of_a_program() {
    let (mut model, recording) = (Model::default(), Run::hello(13));
    for key in letters("riJxed") {
        assert_eq!(press(&mut model, &recording, &[key]), Request::Nothing);
        assert_eq!(model.prompt, None, "{key:?}");
    }
    let run = Run { is_program: true, ..busy() };
    for (key, asked) in
        [('r', "run 35"), ('x', "cancel 35"), ('i', "fire 4"), ('e', "fail 0"), ('d', "delay 0")]
    {
        assert_eq!(press(&mut model, &run, &[Letter(key), Enter]), command(asked));
    }
    assert_eq!(press(&mut model, &run, &[Letter('J'), Letter('2'), Letter('s'), Enter]), command("jump 2s"));
}

#[test]
fn a_bookmark_is_set_and_gone_back_to() {
    let (mut model, mut run) = (Model::default(), Run::hello(13));
    press(&mut model, &run, &letters("ma"));
    assert!(model.message.as_ref().is_some_and(|text| text.contains("event 12")), "{:?}", model.message);
    run.history.go(30);
    assert_eq!(press(&mut model, &run, &letters("'a")), command("go 12"));
    assert_eq!(press(&mut model, &run, &letters("'b")), Request::Nothing);
    assert_eq!(model.message.as_deref(), Some("There is no bookmark b; there is a."));
    press(&mut model, &run, &letters("m!"));
    assert_eq!(model.marks.len(), 1);
    assert_eq!(press(&mut model, &run, &[Letter('m'), Escape, Letter('n')]), command("n"));
}

#[test]
fn it_is_searched_forwards_and_backwards() {
    let (mut model, run) = (Model::default(), Run::hello(13));
    assert_eq!(press(&mut model, &run, &letters("]")), Request::Nothing);
    assert!(model.message.is_some(), "nothing was searched for");
    let find = |forward| Request::Find { text: "fired".into(), forward };
    press(&mut model, &run, &letters("/fired"));
    assert_eq!(press(&mut model, &run, &[Enter]), find(true));
    assert_eq!(press(&mut model, &run, &letters("]")), find(true));
    assert_eq!(press(&mut model, &run, &letters("[")), find(false));
}

#[test]
fn the_task_of_the_event_is_shown_until_another_is_selected() {
    let (mut model, mut run) = (Model::default(), Run::hello(13));
    assert_eq!(model.task(&run.scene()), Some(TaskId(1)));
    press(&mut model, &run, &[Up]);
    assert_eq!(model.task(&run.scene()), Some(TaskId(0)));
    assert_eq!(press(&mut model, &run, &letters("o")), command("to poll 0"));
    run.history.go(5);
    press(&mut model, &run, &[Up]);
    assert_eq!(model.task(&run.scene()), Some(TaskId(0)), "there is none before it");
    press(&mut model, &run, &letters("."));
    run.history.go(13);
    assert_eq!(model.task(&run.scene()), Some(TaskId(1)));
    let many = busy();
    press(&mut model, &many, &[PageUp, PageUp, Down]);
    assert_eq!(model.task(&many.scene()), Some(TaskId(16)));
}

#[test]
fn panes_are_chosen_and_moved_and_a_step_puts_them_back() {
    let (mut model, run) = (Model::default(), busy());
    press(&mut model, &run, &[Letter('8'), Down, Down, PageDown, Up]);
    assert_eq!((model.pane, model.moved(Pane::Source).get()), (Pane::Source, 11));
    assert_eq!(model.tab, Pane::Tasks, "what shares a place with the source stays");
    press(&mut model, &run, &[Tab, Tab, BackTab, BackTab, BackTab]);
    assert_eq!((model.pane, model.tab), (Pane::Task, Pane::Task));
    assert_eq!(press(&mut model, &run, &letters("3v")), command("show timers"));
    model.came();
    assert_eq!(model.moved(Pane::Source).get(), 0);
}

#[test]
fn what_the_run_lets_go_of_is_forgotten_but_for_the_names() {
    let mut lines = String::from(
        r#"{"k":"oneloop","v":1}
{"k":"site","id":1,"file":"a.rs","line":1,"col":1}
{"k":"spawn","n":0,"t":0,"task":1,"name":"early","by":"loop","site":1,"future":"f","size":1}
{"k":"spawn","n":1,"t":0,"task":2,"name":"never heard of again","by":"loop","site":1,"future":"f","size":1}
"#,
    );
    for n in (2..4_000).step_by(2) {
        let next = n + 1;
        lines +=
            &format!("{{\"k\":\"poll_begin\",\"n\":{n},\"t\":{n},\"task\":1,\"poll\":{n},\"waited\":0}}\n");
        lines += &format!(
            "{{\"k\":\"poll_end\",\"n\":{next},\"t\":{n},\"task\":1,\"poll\":{n},\"took\":0,\"suspended\":[\"sleep\",1],\"wakers\":0}}\n"
        );
    }
    let mut run = Run::new(&lines, usize::MAX);
    assert!(run.history.forget(1_000) >= 1_000);
    run.index.update(&run.history);
    let first = &run.history.events()[0];
    assert_eq!((run.index.story(TaskId(1))[0], run.index.story(TaskId(2))), (first.seq, &[][..]));
    let sentence = run.index.sentence(&run.history, first);
    assert!(sentence.contains("task 1 (early)") || sentence.contains("Task 1 (early)"), "{sentence}");
}

#[test]
fn what_is_moved_beyond_an_end_comes_back_at_the_next_key() {
    let (mut model, mut run) = (Model::default(), busy());
    for (pane, key) in [(Pane::Timers, '3'), (Pane::Task, '7'), (Pane::Source, '8'), (Pane::Output, '9')] {
        press(&mut model, &run, &[Letter(key)]);
        for (there, back, by) in [(Down, Up, -1), (Up, Down, 1)] {
            press(&mut model, &run, &[there; 500]);
            let end = run.picture(&model, BEST, (120, 40));
            let moved = model.moved(pane).get();
            assert!(moved.abs() < 500, "{pane:?}: {moved}");
            press(&mut model, &run, &[there]);
            assert!(run.picture(&model, BEST, (120, 40)) == end, "{pane:?}: there is no more");
            press(&mut model, &run, &[back]);
            assert_eq!(model.moved(pane).get(), moved + by, "{pane:?}");
        }
    }
    model.say(&"a line\n".repeat(100));
    press(&mut model, &run, &[End]);
    run.picture(&model, BEST, (80, 24));
    press(&mut model, &run, &[Up]);
    assert_eq!(model.top.get(), 79, "twenty lines are seen at once");
}

#[test]
fn what_is_said_is_a_line_or_lies_over_the_screen() {
    let (mut model, run) = (Model::default(), Run::hello(13));
    model.say("one line\n");
    assert_eq!(model.message.as_deref(), Some("one line"));
    model.say("one\ntwo\nthree");
    assert_eq!(press(&mut model, &run, &[Down]), Request::Nothing);
    assert_eq!((model.message.as_deref(), model.top.get()), (None, 1), "the line is gone with the next key");
    press(&mut model, &run, &[Letter('q')]);
    assert_eq!(model.overlay, None, "the first `q` only closes it");
    assert_eq!(press(&mut model, &run, &[Letter('q')]), Request::Quit);
    model.say("one\ntwo");
    assert_eq!(press(&mut model, &run, &[Letter('p')]), command("p"), "any other key does what it does");
    assert_eq!(model.overlay, None);
    press(&mut model, &run, &[Letter('?')]);
    assert_eq!(model.overlay, Some(Overlay::Help));
    assert_eq!(press(&mut model, &run, &[Ctrl('z')]), Request::Suspend);
    assert_eq!(model.overlay, Some(Overlay::Help), "it is there when we come back");
}
