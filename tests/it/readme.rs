//! What the README tells newcomers to type.

use std::{fs, process::Command};

use tokio::task::spawn_blocking;

use crate::support::newcomer::{Newcomer, REPOSITORY};

/// The commands of that section.
fn commands(section: &str) -> String {
    let readme = fs::read_to_string(format!("{REPOSITORY}/README.md")).unwrap();
    let (_, rest) = readme.split_once(&format!("\n{section}\n")).expect("the section is there");
    let section = rest.split("\n#").next().unwrap();
    section.lines().filter_map(|line| line.strip_prefix("    ")).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_walk_works_as_it_is_written() {
    let newcomer = Newcomer::start("walk").await;
    let walk = commands("## A walk");
    assert!(walk.contains("localhost:3000"), "{walk}");
    let walk = walk
        .replace("localhost:3000", &newcomer.address)
        .replace("-o thumb.jpg", &format!("-o {}", newcomer.path("thumb.jpg").display()));
    let ran = spawn_blocking(move || {
        // What a newcomer sees, with a mark between the answers
        let script = format!("{walk}\nprintf '\\n<%s>' \"$api\" \"$code\" \"$photo\"\n");
        let options = ["-euo", "pipefail", "-c", &script];
        Command::new("timeout").arg("60").arg("bash").args(options).current_dir(REPOSITORY).output().unwrap()
    });
    let ran = ran.await.unwrap();
    let (said, failed) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{said}\n{failed}");
    for told in [
        r#""status":"LIVE""#,
        r#""caption":"Found on the sofa""#,
        r#""content":"Whose cat is that?""#,
        r#""code":"NOT_FOUND""#,
        r#""status":"healthy""#,
    ] {
        assert!(said.contains(told), "{told} is not in: {said}");
    }
    let thumb = fs::read(newcomer.path("thumb.jpg")).unwrap();
    assert!(thumb.starts_with(&[0xFF, 0xD8, 0xFF]), "a JPEG");
    newcomer.stop().await;
}
