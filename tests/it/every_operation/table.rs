//! The rights of the REST contract as data: a row for each operation, a column for each sort of caller.

/// Who calls, in the order of the columns.
pub(super) const CALLERS: [&str; 18] = [
    "host",
    "cohost",
    "uploader",
    "going",
    "maybe",
    "not_going",
    "left",
    "removed",
    "banned",
    "guest",
    "gone guest",
    "banned guest",
    "foreign guest",
    "display",
    "foreign display",
    "revoked display",
    "stranger",
    "nobody",
];

/// What each caller hears: Y yes, 1 unauthenticated (401), 3 forbidden (403), 4 hidden (404).
#[derive(Debug)]
pub(super) struct Right {
    /// Of a private party.
    pub(super) private: &'static str,
    /// Of a public one, and of what belongs to no party.
    pub(super) public: &'static str,
}

/// Whether the party's status lets a caller do what they have the right to; else they hear 409.
type When = fn(status: &str, caller: &str) -> bool;

/// Method and path, with the names of what is there; the body: none, `FILE` for a form, or JSON; who may, and when.
pub(super) type Row = (&'static str, &'static str, &'static Right, When);

const fn right(private: &'static str, public: &'static str) -> Right {
    Right { private, public }
}

const fn of_no_party(callers: &'static str) -> Right {
    Right { private: "", public: callers }
}

// host cohost uploader going maybe · not_going left removed banned · guest gone banned · foreign ·
// display foreign revoked · stranger nobody
const READS: Right = right("YYYYY 4444 Y44 4 444 44", "YYYYY YYYY YYY Y 4YY YY");
const SEES_GALLERY: Right = right("YYYYY 4444 Y44 4 Y44 44", "YYYYY YYYY YYY Y YYY YY");
const ATTENDS: Right = right("YYYY3 4444 Y44 4 444 44", "YYYY3 3333 Y33 3 433 31");
const STEERS: Right = right("YY333 4444 344 4 444 44", "YY333 3333 333 3 433 31");
const OWNS: Right = right("Y3333 4444 344 4 444 44", "Y3333 3333 333 3 433 31");
const NOBODY: Right = right("33333 4444 344 4 444 44", "33333 3333 333 3 433 31");
const LEAVES: Right = right("3YYYY 4444 Y44 4 444 44", "3YYYY 3333 Y33 3 433 31");
const CHECKS_IN: Right = right("YYYYY 4444 Y44 4 444 44", "YYYYY 3333 Y33 3 433 31");
const ANSWERS: Right = right("33YYY 4444 344 4 444 44", "33YYY YYY3 333 3 433 Y1");
const JOINS: Right = right("YYYYY 4444 344 4 444 44", "YYYYY YYY3 333 3 433 Y1");
const JOINS_WITH_CODE: Right = right("YYYYY YYY4 344 4 444 Y4", "YYYYY YYY3 333 3 433 Y1");
const HOLDS_CODE: Right = right("YYYYY YYY4 YY4 Y YYY YY", "YYYYY YYYY YYY Y YYY YY");
const COMES_BY_CODE: Right = right("YYYYY YYY4 YY4 Y YYY YY", "YYYYY YYY3 YY3 Y YYY YY");
const KEEPS_PARTY: Right = right("YYYYY 4444 344 4 444 44", "YYYYY YYYY 333 3 433 Y1");
const EDITS_MESSAGE: Right = right("33Y33 4444 344 4 444 44", "33Y33 3333 333 3 433 31");
const DELETES_MESSAGE: Right = right("YYY33 4444 344 4 444 44", "YYY33 3333 333 3 433 31");

// Below a media a screen of its gallery is refused, not misled: it can read it
const LIKES: Right = right("YYYYY 4444 Y44 4 344 44", "YYYYY YYY3 Y33 3 333 Y1");
const KEEPS: Right = right("YYYYY 4444 344 4 344 44", "YYYYY YYYY 333 3 333 Y1");
const COMMENTS: Right = right("YYYY3 4444 Y44 4 344 44", "YYYY3 3333 Y33 3 333 31");
const REPORTS: Right = right("YY3Y3 4444 Y44 4 344 44", "YY3Y3 3333 Y33 3 333 31");
const MODERATES: Right = right("YY333 4444 344 4 344 44", "YY333 3333 333 3 333 31");
const EDITS_MEDIA: Right = right("33Y33 4444 344 4 344 44", "33Y33 3333 333 3 333 31");
const DELETES_MEDIA: Right = right("YYY33 4444 344 4 344 44", "YYY33 3333 333 3 333 31");
const EDITS_WHAT_THEY_LEFT: Right = right("33333 4Y44 344 4 344 44", "33333 3Y33 333 3 333 31");
const DELETES_WHAT_THEY_LEFT: Right = right("YY333 4Y44 344 4 344 44", "YY333 3Y33 333 3 333 31");
const SEES_HIDDEN: Right = right("YYY44 4444 444 4 444 44", "YYY44 4444 444 4 444 44");
const SEES_NO_BYTE: Right = right("44444 4444 444 4 444 44", "44444 4444 444 4 444 44");
const REPORTS_HIDDEN: Right = right("YY344 4444 444 4 444 44", "YY344 4444 444 4 444 44");
const SHOWS_HIDDEN: Right = right("YY344 4444 444 4 444 44", "YY344 4444 444 4 444 44");

const ANYBODY: Right = of_no_party("YYYYY YYYY YYY Y YYY YY");
const USERS: Right = of_no_party("YYYYY YYYY 333 3 333 Y1");
const PEOPLE: Right = of_no_party("YYYYY YYYY YY1 Y 333 Y1");
const GOING_ALONE: Right = of_no_party("333Y3 3333 333 3 333 31");
const GOING_AND_FRIEND: Right = of_no_party("33YY3 3333 333 3 333 31");
const OF_GOING: Right = of_no_party("444Y4 4444 333 3 333 41");

fn always(_: &str, _: &str) -> bool {
    true
}

/// Before it is over.
fn comes(status: &str, _: &str) -> bool {
    matches!(status, "PLANNED" | "LIVE")
}

/// Who is in already is told so whenever they come.
fn comes_or_is_in(status: &str, caller: &str) -> bool {
    let is_in = matches!(caller, "host" | "cohost" | "uploader" | "going" | "maybe" | "guest");
    is_in || comes(status, caller)
}

/// The answer that they have given already they may give again.
fn maybe_comes(status: &str, caller: &str) -> bool {
    caller == "maybe" || comes(status, caller)
}

/// Uploads and talk: from PLANNED, or LIVE, until after the end.
fn contributes(status: &str, caller: &str) -> bool {
    match status {
        "PLANNED" => matches!(caller, "host" | "cohost"),
        other => matches!(other, "LIVE" | "ENDED"),
    }
}

/// A cancelled party is only read.
fn is_open(status: &str, _: &str) -> bool {
    status != "CANCELLED"
}

fn publishes(status: &str, _: &str) -> bool {
    matches!(status, "DRAFT" | "PLANNED")
}

fn starts(status: &str, _: &str) -> bool {
    matches!(status, "DRAFT" | "PLANNED" | "LIVE")
}

fn ends(status: &str, _: &str) -> bool {
    matches!(status, "LIVE" | "ENDED")
}

fn cancels(status: &str, _: &str) -> bool {
    status != "ENDED"
}

/// What is done in a party, and how it is said.
pub(super) const OF_A_PARTY: &[Row] = &[
    ("GET /parties/{party}", "", &READS, always),
    ("PUT /parties/{party}", r#"{"title":"Another"}"#, &STEERS, always),
    ("PATCH /parties/{party}", r#"{"title":"Another"}"#, &STEERS, always),
    ("DELETE /parties/{party}", "", &OWNS, always),
    ("POST /parties/{party}/access-code", "{}", &STEERS, always),
    ("GET /parties/{party}/attendees", "", &READS, always),
    ("DELETE /parties/{party}/attendees/{going}", "", &STEERS, always),
    ("DELETE /parties/{party}/attendees/{guest}", "", &STEERS, always),
    ("DELETE /parties/{party}/attendees/{cohost}", "", &OWNS, always),
    ("DELETE /parties/{party}/attendees/{host}", "", &NOBODY, always),
    ("POST /parties/{party}/attendees/{going}/ban", "{}", &STEERS, always),
    ("POST /parties/{party}/attendees/{cohost}/ban", "{}", &OWNS, always),
    ("POST /parties/{party}/attendees/{host}/ban", "{}", &NOBODY, always),
    ("DELETE /parties/{party}/bans/{banned}", "", &STEERS, always),
    ("POST /parties/{party}/cancel", r#"{"reason":"Rain"}"#, &OWNS, cancels),
    ("GET /parties/{party}/chat/messages", "", &ATTENDS, always),
    ("POST /parties/{party}/chat/messages", r#"{"content":"hi"}"#, &ATTENDS, contributes),
    ("PATCH /parties/{party}/chat/messages/{message}", r#"{"content":"ho"}"#, &EDITS_MESSAGE, contributes),
    ("DELETE /parties/{party}/chat/messages/{message}", "", &DELETES_MESSAGE, always),
    ("PUT /parties/{party}/chat/messages/{message}/reactions/{emoji}", "", &ATTENDS, contributes),
    ("DELETE /parties/{party}/chat/messages/{message}/reactions/{emoji}", "", &ATTENDS, contributes),
    ("PUT /parties/{party}/chat/read", r#"{"messageId":"{message}"}"#, &ATTENDS, always),
    ("POST /parties/{party}/check-in", "", &CHECKS_IN, comes),
    ("PUT /parties/{party}/cohosts/{going}", "", &OWNS, always),
    ("DELETE /parties/{party}/cohosts/{cohost}", "", &OWNS, always),
    ("PUT /parties/{party}/cover", "FILE", &STEERS, always),
    ("GET /parties/{party}/cover/{cover}", "", &READS, always),
    ("POST /parties/{party}/displays", "{}", &STEERS, always),
    ("DELETE /parties/{party}/displays/{display}", "", &STEERS, always),
    ("POST /parties/{party}/end", "{}", &STEERS, ends),
    ("PUT /parties/{party}/favorite", "", &KEEPS_PARTY, always),
    ("DELETE /parties/{party}/favorite", "", &KEEPS_PARTY, always),
    ("GET /parties/{party}/invite.png", "", &STEERS, always),
    ("GET /parties/{party}/invite.svg", "", &STEERS, always),
    ("POST /parties/{party}/join", "{}", &JOINS, comes_or_is_in),
    ("POST /parties/{party}/join", r#"{"accessCode":"{code}"}"#, &JOINS_WITH_CODE, comes_or_is_in),
    ("POST /parties/{party}/leave", "", &LEAVES, always),
    ("GET /parties/{party}/media", "", &SEES_GALLERY, always),
    ("POST /parties/{party}/media", "FILE", &ATTENDS, contributes),
    ("POST /parties/{party}/publish", "{}", &STEERS, publishes),
    ("PUT /parties/{party}/rsvp", r#"{"status":"MAYBE"}"#, &ANSWERS, maybe_comes),
    ("POST /parties/{party}/start", "{}", &STEERS, starts),
    ("GET /media/{photo}", "", &SEES_GALLERY, always),
    ("GET /media/{hidden}", "", &SEES_HIDDEN, always),
    ("PATCH /media/{photo}", r#"{"caption":"x"}"#, &EDITS_MEDIA, is_open),
    ("PATCH /media/{left photo}", r#"{"caption":"x"}"#, &EDITS_WHAT_THEY_LEFT, is_open),
    ("DELETE /media/{photo}", "", &DELETES_MEDIA, always),
    ("DELETE /media/{left photo}", "", &DELETES_WHAT_THEY_LEFT, always),
    ("GET /media/{photo}/comments", "", &COMMENTS, always),
    ("POST /media/{photo}/comments", r#"{"content":"x"}"#, &COMMENTS, contributes),
    ("DELETE /media/{photo}/comments/{comment}", "", &DELETES_MEDIA, always),
    ("PUT /media/{photo}/favorite", "", &KEEPS, always),
    ("DELETE /media/{photo}/favorite", "", &KEEPS, always),
    ("GET /media/{photo}/file", "", &SEES_GALLERY, always),
    ("GET /media/{hidden}/file", "", &SEES_NO_BYTE, always),
    ("POST /media/{photo}/hide", "{}", &MODERATES, always),
    ("PUT /media/{photo}/like", "", &LIKES, is_open),
    ("DELETE /media/{photo}/like", "", &LIKES, always),
    ("GET /media/{photo}/preview", "", &SEES_GALLERY, always),
    ("GET /media/{hidden}/preview", "", &SEES_NO_BYTE, always),
    ("POST /media/{photo}/report", "{}", &REPORTS, always),
    ("GET /media/{photo}/thumb", "", &SEES_GALLERY, always),
    ("GET /media/{hidden}/thumb", "", &SEES_NO_BYTE, always),
    ("POST /media/{hidden}/report", "{}", &REPORTS_HIDDEN, always),
    ("POST /media/{hidden}/unhide", "{}", &SHOWS_HIDDEN, always),
];

/// What is done with a party's code, without naming the party.
pub(super) const BY_CODE: &[Row] = &[
    ("POST /parties/by-code", r#"{"accessCode":"{code}"}"#, &HOLDS_CODE, always),
    (
        "POST /parties/join-by-code",
        r#"{"accessCode":"{code}","displayName":"Me"}"#,
        &COMES_BY_CODE,
        comes_or_is_in,
    ),
];

/// What is done without a party.
pub(super) const ELSEWHERE: &[Row] = &[
    ("POST /auth/login", r#"{"email":"somebody@example.com","password":"{password}"}"#, &ANYBODY, always),
    ("POST /auth/logout", r#"{"refreshToken":"{refresh token}"}"#, &ANYBODY, always),
    ("GET /auth/me", "", &PEOPLE, always),
    ("PUT /auth/password", r#"{"current":"{password}","new":"something else that is long"}"#, &USERS, always),
    ("POST /auth/refresh", r#"{"refreshToken":"{refresh token}"}"#, &ANYBODY, always),
    (
        "POST /auth/register",
        r#"{"email":"new@example.com","password":"{password}","username":"new_one","firstName":"N","lastName":"O"}"#,
        &ANYBODY,
        always,
    ),
    ("GET /users/check-username/{emoji}", "", &ANYBODY, always),
    ("PUT /users/me/avatar", "FILE", &USERS, always),
    ("GET /users/me/favorite-media", "", &USERS, always),
    ("GET /users/me/favorite-parties", "", &USERS, always),
    ("GET /users/me/liked-media", "", &USERS, always),
    ("GET /users/{going}", "", &ANYBODY, always),
    ("PUT /users/{going}", r#"{"bio":"x"}"#, &GOING_ALONE, always),
    ("PATCH /users/{going}", r#"{"bio":"x"}"#, &GOING_ALONE, always),
    ("GET /users/{going}/attending", "", &GOING_AND_FRIEND, always),
    ("GET /users/{uploader}/avatar/{avatar}", "", &ANYBODY, always),
    ("PUT /users/{target}/follow", "", &USERS, always),
    ("DELETE /users/{target}/follow", "", &USERS, always),
    ("GET /users/{going}/followers", "", &ANYBODY, always),
    ("GET /users/{going}/following", "", &ANYBODY, always),
    ("GET /users/{uploader}/media", "", &ANYBODY, always),
    ("GET /users/{host}/parties", "", &ANYBODY, always),
    ("GET /users/{going}/social-links", "", &ANYBODY, always),
    ("PUT /users/{going}/social-links", "[]", &GOING_ALONE, always),
    ("GET /parties", "", &ANYBODY, always),
    ("POST /parties", r#"{"title":"Mine","startsAt":"2126-05-01T20:00:00Z"}"#, &USERS, always),
    ("GET /parties/live", "", &ANYBODY, always),
    ("POST /devices", r#"{"token":"another push token","platform":"ios"}"#, &USERS, always),
    ("DELETE /devices/{device}", "", &OF_GOING, always),
    ("GET /notifications", "", &USERS, always),
    ("PUT /notifications/read-all", "", &USERS, always),
    ("PUT /notifications/{notification}/read", "", &OF_GOING, always),
    ("GET /tags", "", &ANYBODY, always),
    ("GET /tags/popular", "", &ANYBODY, always),
    ("GET /config", "", &ANYBODY, always),
];
