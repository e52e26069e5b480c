"""What a schema has no words for: why a request that fits the document may be refused all the same, and what is hidden."""

import json
import re
import threading
import time
import urllib.parse

import requests
import schemathesis
from schemathesis.core.failures import AcceptedNegativeData, ServerError
from schemathesis.openapi.checks import EnsureResourceAvailability, IgnoredAuth, RejectedPositiveData

TIMEOUT = 15
REPEATED_WITHIN = 60.0

# Operations, the field, the code of what is wrong with it, and why no schema says so
REASONS = [
    (r"GET ", r"cursor", "INVALID_CURSOR", "a cursor is one that a page of that list gave"),
    (r"(POST|PUT|PATCH) /parties", r"endsAt", "INVALID_RANGE", "after another field, and at most 72 h"),
    (r"(POST|PUT|PATCH) /parties", r"startsAt|endsAt", "INVALID_DATE", "the years 1970 to 9998"),
    (r"", r"tags|interests|tag|q", "TOO_SHORT", "a tag has a letter or digit, of whatever script"),
    (r"", r"tags|interests", "TOO_MANY", "tags are counted when those that come to the same are one"),
    (r"GET /parties$", r"near", "INVALID_POINT", "degrees end at 90 and 180"),
    (r"POST /auth/register", r"email", "INVALID_EMAIL", "no literals, no quotes, and a domain with a dot"),
    (r"POST /auth/register", r"username", "RESERVED", "some words are the service's own"),
    (r"", r"password|new", "TOO_COMMON", "some passwords are everybody's"),
    (r"", r"password|current", "TOO_LONG", "bytes are counted of what is only compared"),
    (r"PUT /auth/password", r"current", "WRONG_PASSWORD", "it is not the caller's"),
    (r"(PUT|DELETE) /users/{id}/follow", r"id", "SELF", "nobody follows themselves"),
    (r"PUT /users/{id}/social-links", r"\d\.url", "WRONG_HOST", "it leads to another platform"),
    (r"PUT /users/{id}/social-links", r"\d\.url", "INVALID_URL", "https, without a user or a port"),
    (r"PUT /users/{id}/social-links", r"\d\.platform", "REPEATED", "one link for each platform"),
    (r"POST /parties/join-by-code", r"displayName", "REQUIRED", "who has no account says a name"),
    (r"(POST|PATCH) .*/chat/", r"content", "TOO_SHORT", "only what shows a media may have no words"),
    (r"POST .*/chat/", r"mediaId", "UNKNOWN_MEDIA", "it is no media of that party"),
    (r"(POST|PUT) .*/chat/", r"replyToId|messageId", "UNKNOWN_MESSAGE", "it is no message of that party"),
    (r".*/reactions/", r"emoji", "INVALID_EMOJI", "one emoji, which no pattern tells"),
]
# Where what may not be known is told before that a token is needed: section 2 of the contract
HIDDEN = re.compile(r"/api/v1/(parties|media)/\{id\}")
# A picture has an id of its own, which is not that of whom it shows
PICTURES = re.compile(r"/api/v1/(parties|users)/\{id\}/(cover|avatar)/\{pictureId\}")


def named(case) -> str:
    return f"{case.method} {case.operation.path.removeprefix('/api/v1')}"


def has_odd_names(request) -> bool:
    """Whether a form names its parts, or their files, with what is no header's text."""
    body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
    heads = re.findall(rb"Content-Disposition: ([^\r]*)", body)
    return any(byte < 0x20 or byte > 0x7E for head in heads for byte in head)


def has_reason(case, error: dict) -> bool:
    return any(
        re.match(operation, named(case)) and re.fullmatch(field, error["path"]) and code == error["code"]
        for operation, field, code, _ in REASONS
    )


def may_be_refused(case, response) -> bool:
    """Whether a request that fits the document may have got that answer."""
    headers = {name.lower() for name in response.request.headers}
    match response.status_code:
        case 400:
            problem = response.json()
            if problem["code"] == "MALFORMED_BODY":
                return (case.media_type or "").startswith("multipart/") and has_odd_names(response.request)
            errors = problem.get("errors", [])
            return bool(errors) and all(has_reason(case, error) for error in errors)
        case 412:
            return "if-match" in headers
        case 415:
            # Only a photo's bytes tell what it is
            return (case.media_type or "").startswith("multipart/")
        case 422:
            return "idempotency-key" in headers
    return False


def texts(value) -> list[str]:
    """All text in a value of JSON."""
    match value:
        case str():
            return [value]
        case list():
            return [text for inner in value for text in texts(inner)]
        case dict():
            return [text for inner in value.values() for text in texts(inner)]
    return []


def has_blanks_around(request) -> bool:
    """Whether a text of a request has blanks around it, which are not counted."""
    sent = texts([value for _, value in urllib.parse.parse_qsl(urllib.parse.urlsplit(request.url).query)])
    try:
        sent += texts(json.loads(request.body or "null"))
    except ValueError:
        pass
    return any(text != text.strip() for text in sent)


def is_done_when_repeated(request) -> bool:
    """Whether what was not done, for the machine had too much to do, is done when it is asked for again."""
    deadline = time.monotonic() + REPEATED_WITHIN
    while time.monotonic() < deadline:
        answer = requests.request(
            request.method, request.url, headers=request.headers, data=request.body, timeout=TIMEOUT
        )
        if answer.status_code != 503:
            return answer.status_code < 500
        time.sleep(1)
    return False


@schemathesis.hook
def filter_failure(context, failure, case, response) -> bool:
    if isinstance(failure, RejectedPositiveData):
        return not may_be_refused(case, response)
    if isinstance(failure, ServerError) and response.status_code == 503 and "retry-after" in response.headers:
        return not is_done_when_repeated(response.request)
    if isinstance(failure, AcceptedNegativeData):
        # What is not as the caller saw it is refused for that, whatever else is wrong
        if response.status_code == 412:
            return not may_be_refused(case, response)
        return not ("larger than maxLength" in failure.message and has_blanks_around(response.request))
    if isinstance(failure, IgnoredAuth):
        return not (HIDDEN.match(case.operation.path) and "got `404" in failure.message)
    if isinstance(failure, EnsureResourceAvailability):
        return not PICTURES.fullmatch(case.operation.path)
    return True


asked: set[str] = set()
asking = threading.Lock()


@schemathesis.check
def a_bad_token_is_refused(ctx, response, case) -> None:
    """A token that is sent has to be good, wherever it is and whatever it is for."""
    if not case.operation.path.startswith("/api/v1/") or not 200 <= response.status_code < 300:
        return
    with asking:
        if case.operation.label in asked:
            return
        asked.add(case.operation.label)
    request = response.request
    headers = {**request.headers, "Authorization": "Bearer bad"}
    answer = requests.request(request.method, request.url, headers=headers, data=request.body, timeout=TIMEOUT)
    assert answer.status_code == 401, f"a bad token was answered with {answer.status_code}"
