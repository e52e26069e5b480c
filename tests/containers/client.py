"""A client of nginx: one connection for each request, no certificate believed or asked for."""

import dataclasses
import http.client
import json
import ssl


@dataclasses.dataclass
class Answer:
    """Status, fields by their lower-case names, body."""

    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


def context():
    """TLS that believes every certificate."""
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def connect(port, within=30):
    """A connection with TLS, not opened yet."""
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=within, context=context())


def ask(port, method, path, headers=None, body=None, within=30, tls=True):
    """Asks once and gives the answer."""
    connection = connect(port, within) if tls else http.client.HTTPConnection("127.0.0.1", port, timeout=within)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        return answered(connection)
    finally:
        connection.close()


def answered(connection):
    """Reads the answer to what was sent on a connection."""
    answer = connection.getresponse()
    return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
