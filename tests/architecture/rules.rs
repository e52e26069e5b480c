//! The rules: each takes files and gives the breaches, `file:line: what is wrong`.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Source;

/// Which top-level modules of a crate may use which.
pub(crate) struct Ladder {
    /// The folder of the crate's sources, with its `/`.
    pub(crate) root: &'static str,
    /// What the crate is called from inside.
    pub(crate) own: &'static [&'static str],
    /// What our other crate is called, and which rung it is.
    pub(crate) other: (&'static str, &'static str),
    /// A module and what it may use beside itself.
    pub(crate) rungs: &'static [(&'static str, &'static [&'static str])],
}

impl Ladder {
    /// Imports that go up or sideways, and modules that nobody gave a place.
    pub(crate) fn breaches(&self, sources: &[Source]) -> Vec<String> {
        let mut breaches = Vec::new();
        for source in sources {
            let Some(inner) = source.path.strip_prefix(self.root) else { continue };
            let module = inner.split('/').next().unwrap_or(inner).trim_end_matches(".rs");
            if module == "lib" {
                continue;
            }
            let Some((_, allowed)) = self.rungs.iter().find(|(name, _)| *name == module) else {
                breaches.push(format!("{}:1: `{module}` has no rung on the ladder", source.path));
                continue;
            };
            for (line, path) in &source.paths {
                let Some(target) = self.target(source, inner, *line, path) else { continue };
                if target != module && !allowed.contains(&target) {
                    breaches.push(format!("{}:{line}: `{module}` may not use `{target}`", source.path));
                }
            }
        }
        breaches
    }

    /// The rung that a path leads to, if it is one of ours.
    fn target<'a>(&self, source: &Source, inner: &str, line: usize, path: &'a [String]) -> Option<&'a str> {
        let first = path.first()?;
        if self.own.contains(&first.as_str()) {
            return path.get(1).map(String::as_str);
        }
        if first == self.other.0 {
            return Some(self.other.1);
        }
        // Enough `super`s leave the module; indented ones stand in a module inside the file
        let supers = path.iter().take_while(|segment| *segment == "super").count();
        let depth = inner.trim_end_matches("/mod.rs").split('/').count();
        let indented = source.code.lines().nth(line - 1).is_some_and(|text| text.starts_with(' '));
        (supers == depth && !indented).then(|| path.get(supers).map(String::as_str)).flatten()
    }
}

/// A path (of crates or of ours) that only some files may know: `("backoff", &["…/backoff.rs"])`.
pub(crate) fn known_elsewhere(sources: &[Source], secrets: &[(&str, &[&str])]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in shipped(sources) {
        for (secret, knowing) in secrets {
            let shadowed = source.code.contains(&format!("mod {secret};"));
            if shadowed || knowing.iter().any(|file| source.path.starts_with(file)) {
                continue;
            }
            let secret: Vec<_> = secret.split("::").collect();
            for (line, path) in &source.paths {
                let path = path.iter().map(|segment| match segment.as_str() {
                    "party_gallery" => "crate",
                    other => other,
                });
                if path.take(secret.len()).eq(secret.iter().copied()) {
                    let (secret, knowing) = (secret.join("::"), knowing.join(", "));
                    breaches.push(format!("{}:{line}: only {knowing} may know `{secret}`", source.path));
                }
            }
        }
    }
    breaches
}

/// Files that are longer than one noun needs.
pub(crate) fn too_long(sources: &[Source], most: usize) -> Vec<String> {
    let long = sources.iter().map(|source| (source, source.text.lines().count())).filter(|(_, n)| *n > most);
    long.map(|(source, n)| format!("{}:{n}: more than {most} lines", source.path)).collect()
}

/// Files and folders that are called after no noun.
pub(crate) fn nameless(sources: &[Source], banned: &[&str]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        let parts = source.path.trim_end_matches(".rs").split(['/', '_', '-']);
        for word in parts.filter(|word| banned.contains(word)) {
            breaches.push(format!("{}:1: `{word}` names no noun", source.path));
        }
    }
    breaches
}

/// Files that do not begin by saying what they are for.
pub(crate) fn unexplained(sources: &[Source]) -> Vec<String> {
    let silent = sources.iter().filter(|source| !source.text.starts_with("//! "));
    silent.map(|source| format!("{}:1: begins without `//! ` and its purpose", source.path)).collect()
}

/// SQL outside `home`, but for the statements that a place is permitted.
pub(crate) fn stray_sql(sources: &[Source], home: &str, permitted: &[(&str, &[&str])]) -> Vec<String> {
    let mut breaches = Vec::new();
    let strangers = shipped(sources).filter(|source| !source.path.starts_with(home));
    for source in strangers.filter(|source| !source.path.ends_with("/tests.rs")) {
        for (line, string) in source.strings.iter().filter(|(_, string)| is_sql(string)) {
            let mut permitted = permitted.iter().filter(|(place, _)| source.path.starts_with(place));
            if !permitted.any(|(_, statements)| statements.contains(&string.as_str())) {
                breaches.push(format!("{}:{line}: SQL belongs in {home}: {string:?}", source.path));
            }
        }
    }
    breaches
}

/// Whether a string reads like a statement. English begins with `update` and `select` too.
fn is_sql(string: &str) -> bool {
    let lower = string.to_lowercase();
    let mut words = lower.split_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let follows = |word: &str| lower.split_whitespace().any(|other| other == word);
    match first {
        "select" => string.trim_start().starts_with("SELECT ") || follows("from"),
        "insert" => second == "into",
        "delete" => second == "from",
        "update" => follows("set"),
        "with" => lower.contains(" as ("),
        "truncate" | "listen" | "notify" => string.trim_start().starts_with(&first.to_uppercase()),
        "create" | "alter" | "drop" => [
            "table",
            "index",
            "unique",
            "database",
            "role",
            "type",
            "schema",
            "function",
            "extension",
            "trigger",
        ]
        .contains(&second),
        _ => false,
    }
}

/// Lints that are waved through and tests that are skipped, but for the lints that a file is permitted.
pub(crate) fn waved_through(sources: &[Source], permitted: &[(&str, &[&str])]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        let lints =
            permitted.iter().find(|(file, _)| *file == source.path).map_or(&[][..], |(_, lints)| lints);
        for (at, _) in source.code.match_indices('#') {
            let (before, rest) = source.code.split_at(at);
            let Some(rest) = rest.trim_start_matches(['#', '!']).strip_prefix('[') else { continue };
            let attribute = rest.split(']').next().unwrap_or(rest);
            let skipped = attribute.split(['=', '(']).next().is_some_and(|name| name.trim() == "ignore");
            if skipped || allows(attribute).any(|lint| !lints.contains(&lint)) {
                let line = 1 + before.matches('\n').count();
                breaches.push(format!("{}:{line}: hides what it should show", source.path));
            }
        }
    }
    breaches
}

/// The lints that an attribute allows.
fn allows(attribute: &str) -> impl Iterator<Item = &str> {
    let (_, list) = attribute.split_once("allow(").unwrap_or_default();
    let lints = list.split(')').next().unwrap_or_default().split(',').map(str::trim);
    lints.filter(|lint| !lint.is_empty() && !lint.starts_with("reason"))
}

/// Where two folders differ, each given as its files by name.
pub(crate) fn differences(
    ours: &BTreeMap<String, Vec<u8>>,
    theirs: &BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let differing = names.into_iter().filter(|name| ours.get(*name) != theirs.get(*name));
    differing.map(|name| format!("docs/contract/{name}:1: is not the contract's")).collect()
}

/// Tests that ask with a client whose answers nobody looks at.
pub(crate) fn unwatched(sources: &[Source], watched: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let tests = sources
        .iter()
        .filter(|source| ["tests/it/", "tests/support/"].iter().any(|root| source.path.starts_with(root)));
    for source in tests.filter(|source| source.path != watched) {
        for (line, path) in &source.paths {
            let asks = ["Client", "ClientBuilder", "RequestBuilder", "Response", "get"];
            if let [first, second, ..] = path.as_slice()
                && first == "reqwest"
                && asks.contains(&second.as_str())
            {
                breaches.push(format!("{}:{line}: only {watched} may know `reqwest::{second}`", source.path));
            }
        }
    }
    breaches
}

/// What becomes part of the binary.
fn shipped(sources: &[Source]) -> impl Iterator<Item = &Source> {
    sources.iter().filter(|source| ["src/", "actors/src/"].iter().any(|root| source.path.starts_with(root)))
}
