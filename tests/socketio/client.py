"""python-socketio, as it is, against a pod: signs in, is refused, joins, talks, hears each event once and in order, also in a
burst, and comes back when the pod goes away."""

import concurrent.futures
import os
import pathlib
import secrets
import signal
import sys
import time

import requests
import socketio

DIRECTORY, POD, OTHER = sys.argv[1:4]
WAYS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": None}


def api(pod, path, token=None, body=None):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    reply = requests.post(f"http://{pod}/api/v1{path}", json=body, headers=headers, timeout=10)
    assert reply.status_code < 300, reply.text
    return reply.json()["data"]


def eventually(what, holds):
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, f"not in time: {what()}"
        time.sleep(0.01)


def say(token, party, content):
    api(OTHER, f"/parties/{party}/chat/messages", token, dict(content=content))


def is_ready():
    try:
        return requests.get(f"http://{POD}/health/ready", timeout=2).ok
    except requests.RequestException:
        return False


def main():
    name = "p" + secrets.token_hex(4)
    account = dict(email=f"{name}@example.com", username=name, password=secrets.token_hex(12), firstName="A", lastName="B")
    token = api(POD, "/auth/register", body=account)["accessToken"]
    party = api(POD, "/parties", token, dict(title="A party", startsAt="2126-05-01T20:00:00Z"))["party"]["id"]
    api(POD, f"/parties/{party}/publish", token)
    api(POD, f"/parties/{party}/start", token)
    for way, transports in WAYS.items():
        visit(way, dict(transports=transports) if transports else {}, token, party)


def visit(way, options, token, party):
    reasons = []
    stranger = socketio.Client(reconnection=False)
    stranger.on("connect_error", reasons.append)
    try:
        stranger.connect(f"http://{POD}", auth={"token": "bad"}, **options)
        raise AssertionError("a bad token was let in")
    except socketio.exceptions.ConnectionError:
        assert reasons[0]["data"]["code"] == "UNAUTHENTICATED", reasons

    client, heard, told, gone = socketio.Client(), [], [], []
    client.on("chat:new_message", lambda message: heard.append(message["seq"]))
    client.on("server:draining", told.append)
    client.on("disconnect", gone.append)
    client.connect(f"http://{POD}", auth={"token": token}, **options)
    assert client.transport() == ("polling" if way == "polling" else "websocket")
    assert client.call("ping", {"a": [1]}) == {"a": [1]}
    assert client.call("ping", b"abc") == b"abc"
    assert client.call("no:such", {})["error"]["code"] == "NOT_FOUND"
    assert client.call("party:join_live", {"partyId": 7})["error"]["code"] == "VALIDATION_ERROR"
    joined = client.call("party:join_live", {"partyId": party})
    assert "messages" in client.call("chat:join", {"partyId": party})
    first = joined["seq"] + 1
    for number in range(5):
        assert "message" in client.call("chat:message", {"partyId": party, "content": str(number)})
    eventually(lambda: f"five events, {heard}", lambda: len(heard) >= 5)
    # It hands each event to a thread of its own, so that they may overtake each other here
    assert sorted(heard) == list(range(first, first + 5)), heard
    print(f"{way}: talks", flush=True)

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda number: say(token, party, str(number)), range(500)))
    eventually(lambda: f"505 events, {len(heard)}", lambda: len(heard) >= 505)
    assert sorted(heard) == list(range(first, first + 505)), heard
    assert client.connected
    print(f"{way}: hears 500 in a burst", flush=True)

    os.kill(int((pathlib.Path(DIRECTORY) / f"pod-{POD.split(':')[1]}").read_text()), signal.SIGTERM)
    eventually(lambda: "it is told of the drain", lambda: told and gone)
    assert told[0]["reconnectAfterMs"] >= 0
    say(token, party, "meanwhile")
    if way == "polling":
        # python-engineio takes the `1` that a waiting poll is answered for the server's wish: it comes back when asked to
        assert gone == ["server disconnect"], gone
        eventually(lambda: "the pod is there again", is_ready)
        client.connect(f"http://{POD}", auth={"token": token}, **options)
    eventually(lambda: "it is back", lambda: client.connected)
    again = client.call("party:join_live", {"partyId": party, "since": first + 504, "epoch": joined["epoch"]})
    assert again["replayed"] == 1, again
    eventually(lambda: f"what was missed, {len(heard)}", lambda: len(heard) >= 506)
    assert sorted(heard) == list(range(first, first + 506)), heard
    client.disconnect()
    eventually(lambda: "the pod is there again", is_ready)
    print(f"{way}: comes back after a drain", flush=True)


main()
