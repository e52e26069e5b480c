"""python-socketio, as it is, against a pod: signs in, is refused, joins, talks, hears each event once and in order."""

import secrets
import sys
import time

import requests
import socketio

BASE = sys.argv[1]
WAYS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": None}


def api(method, path, token=None, body=None):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    reply = requests.request(method, f"{BASE}/api/v1{path}", json=body, headers=headers, timeout=10)
    assert reply.status_code < 300, reply.text
    return reply.json()["data"]


def main():
    name = "p" + secrets.token_hex(4)
    account = dict(email=f"{name}@example.com", username=name, password=secrets.token_hex(12), firstName="A", lastName="B")
    token = api("POST", "/auth/register", body=account)["accessToken"]
    party = api("POST", "/parties", token, dict(title="A party", startsAt="2126-05-01T20:00:00Z"))["party"]["id"]
    api("POST", f"/parties/{party}/publish", token)
    api("POST", f"/parties/{party}/start", token)
    for way, transports in WAYS.items():
        visit(way, dict(transports=transports) if transports else {}, token, party)
        print("python-socketio:", way)


def visit(way, options, token, party):
    reasons = []
    stranger = socketio.Client(reconnection=False)
    stranger.on("connect_error", reasons.append)
    try:
        stranger.connect(BASE, auth={"token": "bad"}, **options)
        raise AssertionError("a bad token was let in")
    except socketio.exceptions.ConnectionError:
        assert reasons[0]["data"]["code"] == "UNAUTHENTICATED", reasons

    client, heard = socketio.Client(), []
    client.on("chat:new_message", lambda message: heard.append(message["seq"]))
    client.connect(BASE, auth={"token": token}, **options)
    assert client.transport() == ("polling" if way == "polling" else "websocket")
    assert client.call("ping", {"a": [1]}) == {"a": [1]}
    assert client.call("ping", b"abc") == b"abc"
    assert client.call("no:such", {})["error"]["code"] == "NOT_FOUND"
    joined = client.call("party:join_live", {"partyId": party})
    client.call("chat:join", {"partyId": party})
    for number in range(5):
        assert "message" in client.call("chat:message", {"partyId": party, "content": str(number)})
    deadline = time.monotonic() + 5
    while len(heard) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert heard == list(range(joined["seq"] + 1, joined["seq"] + 6)), heard
    client.disconnect()


main()
