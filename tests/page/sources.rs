//! Which source files are put on a page: those of the project it is made in, and no others, whatever a recording says.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use super::{HEADER, data, folder, long, oneloop};

#[test]
fn a_source_file_that_is_found_is_on_the_page_and_one_that_is_not_is_named() {
    let folder = folder();
    let write = || {
        let output = oneloop(folder.path(), &["page", "small.trace"]);
        assert!(output.status.success(), "{output:?}");
        let page = fs::read_to_string(folder.path().join("small.html")).unwrap();
        (data(&page)["sources"][0].clone(), String::from_utf8(output.stdout).unwrap())
    };
    let (source, said) = write();
    assert_eq!(source["missing"], "it was not found in the project where the page was made");
    assert!(said.contains("not on it: src/small.rs, it was not found"), "{said}");

    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/small.rs"), "fn main() {}\n").unwrap();
    let (source, said) = write();
    assert_eq!((&source["text"], &source["library"]), (&json!("fn main() {}\n"), &json!(false)));
    assert!(said.contains("and the source of src/small.rs"), "{said}");

    fs::write(folder.path().join("src/small.rs"), "// long\n".repeat(1 << 17)).unwrap();
    let (source, _) = write();
    assert_eq!(source["missing"], "it is longer than 524288 bytes");
}

#[test]
fn a_source_file_of_two_recordings_is_named_once() {
    let folder = folder();
    let site = "{\"k\":\"site\",\"id\":2,\"file\":\"src/other.rs\",\"line\":1,\"col\":1}";
    let recording = long(50, "task").replacen("\"site\":1", "\"site\":2", 1);
    let recording = recording.replacen('\n', &format!("\n{site}\n"), 1);
    fs::write(folder.path().join("both.trace"), recording).unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    for name in ["small", "other"] {
        fs::write(folder.path().join("src").join(name).with_extension("rs"), "fn main() {}\n").unwrap();
    }
    let output = oneloop(folder.path(), &["page", "both.trace", "both.trace", "-o", "two.html"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("and the source of src/other.rs, src/small.rs\n"), "{said}");
}

/// What a page that is made in `project` has of `file`, of a recording that was `told` to have been made elsewhere.
fn source(project: &Path, told: &Path, file: &str) -> Value {
    let header = HEADER.replace("{", &format!("{{\"folder\":{},", json!(told)));
    let recording = long(5, "task").replace(HEADER, &header).replace("src/small.rs", file);
    fs::write(project.join("small.trace"), recording).unwrap();
    let output = oneloop(project, &["page", "small.trace"]);
    assert!(output.status.success(), "{output:?}");
    data(&fs::read_to_string(project.join("small.html")).unwrap())["sources"][0].clone()
}

#[test]
fn no_file_outside_of_the_project_is_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let [project, other] = ["project", "other"].map(|name| folder.path().join(name));
    fs::create_dir_all(project.join("src")).unwrap();
    fs::create_dir_all(other.join("src")).unwrap();
    fs::write(other.join("src/secret.rs"), "const KEY: u64 = 42;\n").unwrap();
    fs::write(project.join("notes.txt"), "milk\n").unwrap();
    symlink(other.join("src/secret.rs"), project.join("src/link.rs")).unwrap();
    symlink(project.join("notes.txt"), project.join("src/notes.rs")).unwrap();
    symlink("/dev/zero", project.join("src/zero.rs")).unwrap();
    fs::create_dir(project.join("src/folder.rs")).unwrap();
    mknodat(CWD, project.join("src/pipe.rs"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let outside = other.join("src/secret.rs");
    for file in [
        outside.to_str().unwrap(),
        "../other/src/secret.rs",
        "src/../../other/src/secret.rs",
        "src/secret.rs",
        "src/link.rs",
        "src/notes.rs",
        "notes.txt",
        "src/zero.rs",
        "src/folder.rs",
        "src/pipe.rs",
        "/etc/passwd",
        "src/a\\u0000b.rs",
        "__proto__",
    ] {
        let source = source(&project, &other, file);
        assert_eq!(
            source["missing"], "it was not found in the project where the page was made",
            "{file}: {source}"
        );
        assert!(source["text"].is_null());
    }
}

#[test]
fn the_project_is_the_workspace_around_the_folder_or_else_the_package() {
    let folder = tempfile::tempdir().unwrap();
    let member = folder.path().join("space/member");
    fs::create_dir_all(member.join("src")).unwrap();
    fs::write(folder.path().join("outside.rs"), "outside").unwrap();
    fs::write(folder.path().join("space/lib.rs"), "of the workspace").unwrap();
    fs::write(member.join("src/lib.rs"), "of the package").unwrap();
    let text = |folder: &Path, file: &str| source(folder, folder, file)["text"].clone();
    let package = member.join("Cargo.toml");
    assert_eq!(text(&member.join("src"), "member/src/lib.rs"), Value::Null);
    assert_eq!(text(&member.join("src"), "lib.rs"), "of the package");
    fs::write(package, "[package]\nname = \"member\"\n").unwrap();
    assert_eq!(text(&member.join("src"), "src/lib.rs"), "of the package");
    assert_eq!(text(&member, "../lib.rs"), Value::Null);
    fs::write(folder.path().join("space/Cargo.toml"), "[workspace]\nmembers = [\"member\"]\n").unwrap();
    assert_eq!(text(&member, "member/src/lib.rs"), "of the package");
    assert_eq!(text(&member, "lib.rs"), "of the workspace");
    assert_eq!(text(&member, "../lib.rs"), "of the workspace");
    assert_eq!(text(&member, "../outside.rs"), Value::Null);
}
