//! A file of the house as the rules see it: its code without comments and literals, its strings, its paths.

/// A Rust file.
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// As it is, but with every comment and the inside of every literal blanked out.
    pub(crate) code: String,
    /// What its string literals hold, each with its line.
    pub(crate) strings: Vec<(usize, String)>,
    /// The paths in its code (`a::b`, groups taken apart), each with its line.
    pub(crate) paths: Vec<(usize, Vec<String>)>,
}

impl Source {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let (code, strings) = blank(&text);
        let paths = Paths::of(&code);
        Self { path, text, code, strings, paths }
    }
}

/// Blanks out what is not code. Lines and columns stay.
fn blank(text: &str) -> (String, Vec<(usize, String)>) {
    let (mut code, mut strings) = (String::with_capacity(text.len()), Vec::new());
    let (mut line, mut rest) = (1, text);
    while let Some(first) = rest.chars().next() {
        let (kept, length) = if rest.starts_with("//") {
            ("", rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            ("", comment(rest))
        } else if let Some((inside, length)) = raw_string(rest).or_else(|| string(rest)) {
            strings.push((line, inside.to_owned()));
            ("\"", length)
        } else if let Some(length) = character(rest) {
            ("'", length)
        } else {
            code.push(first);
            line += usize::from(first == '\n');
            rest = rest.split_at(first.len_utf8()).1;
            continue;
        };
        let (token, after) = rest.split_at(length);
        code.push_str(kept);
        code.extend(token.chars().skip(kept.len()).map(|c| if c == '\n' { c } else { ' ' }));
        line += token.matches('\n').count();
        rest = after;
    }
    (code, strings)
}

/// The length of a block comment; they nest.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// What is inside `r"…"` or `r#"…"#`, and the length of the whole.
fn raw_string(text: &str) -> Option<(&str, usize)> {
    let after = text.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let inside = after.trim_start_matches('#').strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&end)?;
    Some((inside.get(..length)?, 2 + hashes + length + end.len()))
}

/// What is inside `"…"`, and the length of the whole.
fn string(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix('"')?;
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some((inside.get(..at)?, at + 2)),
            _ => {}
        }
    }
    None
}

/// The length of `'x'` or `'\…'`; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    match inside.strip_prefix('\\') {
        Some(escape) => {
            let skip = escape.chars().next()?.len_utf8();
            Some(2 + skip + escape.get(skip..)?.find('\'')? + 1)
        }
        None => {
            let length = inside.chars().next()?.len_utf8();
            inside.get(length..)?.starts_with('\'').then_some(length + 2)
        }
    }
}

#[derive(PartialEq)]
enum Token {
    Word(String),
    Colons,
    Mark(char),
}

/// Reads the paths out of code.
struct Paths {
    tokens: Vec<(usize, Token)>,
    at: usize,
    found: Vec<(usize, Vec<String>)>,
}

impl Paths {
    fn of(code: &str) -> Vec<(usize, Vec<String>)> {
        let mut paths = Self { tokens: tokens(code), at: 0, found: Vec::new() };
        while paths.at < paths.tokens.len() {
            if matches!(paths.token(0), Some(Token::Word(_))) && !paths.follows_a_type() {
                paths.path(&[]);
            } else {
                paths.at += 1;
            }
        }
        paths.found
    }

    fn token(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|(_, token)| token)
    }

    /// Whether this goes on after a type in angle brackets (`<T>::new`); other leading colons begin a path.
    fn follows_a_type(&self) -> bool {
        let is = |back: usize, token: &Token| {
            self.at
                .checked_sub(back)
                .and_then(|at| self.tokens.get(at))
                .is_some_and(|(_, before)| before == token)
        };
        let arrow = is(3, &Token::Mark('-')) || is(3, &Token::Mark('='));
        is(1, &Token::Colons) && is(2, &Token::Mark('>')) && !arrow
    }

    /// One path, or one item of a group after `prefix`.
    fn path(&mut self, prefix: &[String]) {
        let imported = !prefix.is_empty() || self.is_after("use") || self.is_after("crate");
        let mut segments = prefix.to_vec();
        let Some((line, _)) = self.tokens.get(self.at) else { return };
        let line = *line;
        while let Some(Token::Word(word)) = self.token(0) {
            segments.push(word.clone());
            self.at += 1;
            if self.token(0) != Some(&Token::Colons) {
                break;
            }
            self.at += 1;
            if self.token(0) == Some(&Token::Mark('{')) {
                return self.group(&segments);
            }
        }
        if segments.len() > 1 || imported {
            self.found.push((line, segments));
        }
    }

    fn is_after(&self, word: &str) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        matches!(before, Some((_, Token::Word(found))) if found == word)
    }

    fn group(&mut self, prefix: &[String]) {
        self.at += 1;
        loop {
            match self.token(0) {
                None => return,
                Some(Token::Mark('}')) => {
                    self.at += 1;
                    return;
                }
                Some(Token::Word(word)) if word == "as" => self.at += 2,
                Some(Token::Word(_)) => self.path(prefix),
                Some(_) => self.at += 1,
            }
        }
    }
}

fn tokens(code: &str) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (length, token) = if word > 0 {
                (
                    word,
                    Some(Token::Word(
                        rest.chars().take_while(|&c| c == '_' || c.is_alphanumeric()).collect(),
                    )),
                )
            } else if rest.starts_with("::") {
                (2, Some(Token::Colons))
            } else {
                (first.len_utf8(), (!first.is_whitespace()).then_some(Token::Mark(first)))
            };
            tokens.extend(token.map(|token| (number, token)));
            rest = rest.split_at(length).1;
        }
    }
    tokens
}
