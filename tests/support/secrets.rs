//! What only some may hear: e-mails, access codes, tokens, passwords. Every answer that the tests read and every frame that
//! they take is looked at, and fails the test when it holds what is not its caller's.
//!
//! Whose a secret is does not depend on where it was seen: an e-mail and the tokens of a sign-in are one person's, a code is
//! its party's hosts', a password is nobody's to hear.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    hash::{DefaultHasher, Hasher as _},
    sync::{LazyLock, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, Request};
use serde_json::Value;
use uuid::Uuid;

/// What is shorter may stand in any text by chance.
const SHORTEST: usize = 8;

#[derive(Default)]
struct Secrets {
    /// E-mails, tokens and keys, and whose they are.
    words: BTreeMap<String, BTreeSet<Uuid>>,
    /// Passwords, and the tokens of devices: they may hold blanks.
    phrases: BTreeMap<String, BTreeSet<Uuid>>,
    /// Access codes, and the party of each.
    codes: BTreeMap<String, Uuid>,
    /// Who runs a party.
    hosts: BTreeMap<Uuid, BTreeSet<Uuid>>,
    /// Who was there before.
    known: BTreeSet<Uuid>,
}

static SECRETS: LazyLock<Mutex<Secrets>> = LazyLock::new(Mutex::default);

/// A request, as far as it tells whose its answer is.
#[derive(Debug, Default)]
pub struct Asked {
    /// Whom its token names.
    bearer: Option<Uuid>,
    /// What else proves somebody: a token or an e-mail in its body, a key.
    proofs: Vec<String>,
    method: Method,
    path: String,
    body: Value,
}

impl Asked {
    /// What a request tells of itself.
    pub fn of(request: &Request) -> Self {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let bearer = header("authorization").and_then(|bearer| words(bearer).find_map(claims));
        let bearer = bearer.map(|(_, person)| person);
        // A key that is long enough is as good as a token, for who has none
        let key = header("idempotency-key").filter(|key| bearer.is_none() && key.len() >= SHORTEST);
        let email = body["email"].as_str().filter(|_| body["password"].is_string());
        let proofs = [key, email, body["refreshToken"].as_str()];
        let proofs = proofs.into_iter().flatten().map(str::to_lowercase).collect();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        Self { bearer, proofs, method, path, body }
    }

    /// A frame's: of what is here no socket tells anybody anything.
    pub fn nothing() -> Self {
        Self { path: "/ws".to_owned(), ..Self::default() }
    }
}

/// Tells whose an e-mail or a token is.
pub fn belongs(secret: &str, to: Uuid) {
    let mut secrets = secrets();
    secrets.known.insert(to);
    secrets.own(secret, to);
}

/// Tells who runs a party, where no request says so.
pub fn runs(party: Uuid, person: Uuid) {
    secrets().hosts.entry(party).or_default().insert(person);
}

/// Fails when a text holds what is not for who asked.
pub fn look(asked: &Asked, text: &str) {
    if let Some(leak) = leak(asked, text) {
        panic!("{} {} by {:?} was told {leak}: {text}", asked.method, asked.path, asked.bearer);
    }
}

/// As [`look`], of what comes to many without being asked for: the same text is looked at once.
pub fn look_once(text: &str) {
    static SEEN: LazyLock<Mutex<HashSet<u64>>> = LazyLock::new(Mutex::default);
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    if SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(hasher.finish()) {
        look(&Asked::nothing(), text);
    }
}

/// What a text holds that is not for who asked.
pub fn leak(asked: &Asked, text: &str) -> Option<String> {
    secrets().leak(asked, text)
}

/// Notes what an answer gave to its caller, so that nobody else hears it.
pub fn learn(asked: &Asked, text: &str) {
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let mut secrets = secrets();
    let by = secrets.whoever(asked);
    secrets.learn_from_request(asked, &by);
    secrets.learn_from(asked, &by, &answer);
}

impl Secrets {
    fn own(&mut self, secret: &str, person: Uuid) {
        self.words.entry(secret.to_lowercase()).or_default().insert(person);
    }

    /// Whoever a request proves to be, by what is known by now.
    fn whoever(&self, asked: &Asked) -> BTreeSet<Uuid> {
        let proven = asked.proofs.iter().filter_map(|proof| self.words.get(proof)).flatten();
        proven.chain(&asked.bearer).copied().collect()
    }

    fn leak(&self, asked: &Asked, text: &str) -> Option<String> {
        let by = self.whoever(asked);
        // What proves somebody whom nobody here has seen may be good
        let signs_in = by.is_empty() && !asked.proofs.is_empty();
        if text.contains("$argon2") {
            return Some("a password's hash".to_owned());
        }
        let phrase = self.phrases.iter().find(|(phrase, of)| by.is_disjoint(of) && text.contains(*phrase));
        if phrase.is_some() {
            return Some("a password, or the token of somebody else's device".to_owned());
        }
        for word in words(text) {
            let owners = self.words.get(&word.to_lowercase()).filter(|_| !signs_in);
            if owners.is_some_and(|owners| by.is_disjoint(owners)) {
                return Some(format!("somebody else's {word}"));
            }
            if let Some((audience, person)) = claims(word)
                && self.known.contains(&person)
                && !by.contains(&person)
                && !signs_in
                && !audience.ends_with("/display")
            {
                return Some("a token of somebody else".to_owned());
            }
            let code = word.split(|c: char| !c.is_ascii_alphanumeric()).find(|part| {
                let hosts = self.codes.get(*part).and_then(|party| self.hosts.get(party));
                hosts.is_some_and(|hosts| by.is_disjoint(hosts))
            });
            if code.is_some() {
                return Some("the code of a party that they do not run".to_owned());
            }
        }
        self.leak_by_name(&by, &serde_json::from_str(text).unwrap_or_default())
    }

    /// What nobody has seen before is told by its name.
    fn leak_by_name(&self, by: &BTreeSet<Uuid>, answer: &Value) -> Option<String> {
        match answer {
            Value::Array(items) => items.iter().find_map(|item| self.leak_by_name(by, item)),
            Value::Object(fields) => {
                let owner = id(&answer["id"]);
                let is_theirs = owner.is_some_and(|id| by.contains(&id) || !self.known.contains(&id));
                if answer["email"].is_string() && !is_theirs {
                    return Some("somebody else's e-mail".to_owned());
                }
                if answer["accessCode"].is_string() {
                    let mut hosts =
                        owner.and_then(|party| self.hosts.get(&party).cloned()).unwrap_or_default();
                    hosts.extend(id(&answer["host"]["id"]));
                    if by.is_disjoint(&hosts) {
                        return Some("the code of a party that they do not run".to_owned());
                    }
                }
                fields.values().find_map(|field| self.leak_by_name(by, field))
            }
            _ => None,
        }
    }

    fn learn_from_request(&mut self, asked: &Asked, by: &BTreeSet<Uuid>) {
        if asked.path.contains("/auth/") {
            for name in ["password", "current", "new"] {
                self.phrase(&asked.body[name], &BTreeSet::new());
            }
        }
        if asked.path.ends_with("/devices") {
            self.phrase(&asked.body["token"], by);
        }
        let path: Vec<_> = asked.path.rsplit('/').collect();
        if let [person, "cohosts", party, ..] = path[..]
            && let (Ok(person), Ok(party)) = (person.parse(), party.parse())
        {
            let hosts = self.hosts.entry(party).or_default();
            if asked.method == Method::PUT {
                hosts.insert(person)
            } else {
                hosts.remove(&person)
            };
        }
    }

    fn phrase(&mut self, phrase: &Value, owners: &BTreeSet<Uuid>) {
        if let Some(phrase) = phrase.as_str().filter(|phrase| phrase.len() >= SHORTEST) {
            self.phrases.entry(phrase.to_owned()).or_default().extend(owners);
        }
    }

    fn learn_from(&mut self, asked: &Asked, by: &BTreeSet<Uuid>, answer: &Value) {
        if let Some(items) = answer.as_array() {
            items.iter().for_each(|item| self.learn_from(asked, by, item));
        }
        let Some(fields) = answer.as_object() else { return };
        if let Some((email, person)) = answer["email"].as_str().zip(id(&answer["id"])) {
            self.known.insert(person);
            self.own(email, person);
        }
        let token = answer["accessToken"].as_str().or_else(|| answer["token"].as_str());
        if let Some((token, (_, person))) = token.and_then(|token| Some((token, claims(token)?))) {
            self.known.insert(person);
            for secret in [Some(token), answer["refreshToken"].as_str()].into_iter().flatten() {
                // A host makes the token of a screen
                [person].iter().chain(by).for_each(|owner| self.own(secret, *owner));
            }
            if asked.bearer.is_none() {
                // A key, from now on
                asked.proofs.iter().for_each(|proof| self.own(proof, person));
            }
        }
        if let Some((code, party)) = answer["accessCode"].as_str().zip(id(&answer["id"])) {
            self.codes.insert(code.to_owned(), party);
            self.hosts.entry(party).or_default().extend(id(&answer["host"]["id"]));
        }
        fields.values().for_each(|field| self.learn_from(asked, by, field));
    }
}

fn secrets() -> std::sync::MutexGuard<'static, Secrets> {
    SECRETS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn id(value: &Value) -> Option<Uuid> {
    value.as_str()?.parse().ok()
}

/// Whatever may be an e-mail, a token or a code, or holds one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let splits = |c: char| !(c.is_ascii_alphanumeric() || "._+-@".contains(c));
    text.split(splits).map(|word| word.trim_matches('.')).filter(|word| word.len() >= SHORTEST)
}

/// Audience and subject of what is a token, good or not.
fn claims(word: &str) -> Option<(String, Uuid)> {
    let claims = word.strip_prefix("eyJ")?.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Some((claims["aud"].as_str()?.to_owned(), id(&claims["sub"])?))
}
