"""nginx alone: TLS, headers, limits, retries, sockets, uploads."""

import concurrent.futures
import itertools
import socket
import ssl
import unittest
import warnings

import client
from engine import eventually
from proxy import SERVER_NAME, Proxy

HEADERS = {
    "x-frame-options": "SAMEORIGIN",
    "x-content-type-options": "nosniff",
    "x-xss-protection": "0",
    "referrer-policy": "no-referrer",
}
MB = 1_000_000
UPLOAD = "/api/v1/parties/one/media"


def setUpModule():
    global PROXY
    PROXY = unittest.enterModuleContext(Proxy("proxy"))


def ask(method, path, headers=None, **options):
    return client.ask(PROXY.https, method, path, headers, **options)


def token(name):
    """A bearer token in shape alone: nginx looks at no more."""
    return {"Authorization": f"Bearer aa.bb.{name:-<32}"}


def callers():
    """Headers of one caller after the other, so that no test meets another's limit."""
    for number in itertools.count():
        yield token(f"caller{number}")


CALLERS = callers()


def pool(work, things, hands):
    """Shares things out to so many threads, and gives what each has made of its share."""
    with concurrent.futures.ThreadPoolExecutor(hands) as threads:
        return list(threads.map(work, [things[first::hands] for first in range(hands) if things[first::hands]]))


def refused(caller):
    """Asks on one connection until it is too often."""
    connection = client.connect(PROXY.https)
    for _ in range(2000):
        connection.request("GET", "/", headers=caller)
        answer = client.answered(connection)
        if answer.status == 429:
            break
    connection.close()
    return answer


class Tls(unittest.TestCase):
    def handshake(self, version, ciphers="ALL:@SECLEVEL=0", protocols=()):
        context = client.context()
        context.set_ciphers(ciphers)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        if protocols:
            context.set_alpn_protocols(protocols)
        with socket.create_connection(("127.0.0.1", PROXY.https), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname=SERVER_NAME) as secured:
                return secured.version(), secured.selected_alpn_protocol()

    def test_old_versions_are_refused(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.assertRaisesRegex(ssl.SSLError, "ALERT_PROTOCOL_VERSION"):
                self.handshake(version)

    def test_new_versions_are_spoken_with_http_2(self):
        self.assertEqual(self.handshake(ssl.TLSVersion.TLSv1_2, protocols=["h2"]), ("TLSv1.2", "h2"))
        self.assertEqual(self.handshake(ssl.TLSVersion.TLSv1_3, protocols=["h2"]), ("TLSv1.3", "h2"))

    def test_ciphers_without_forward_secrecy_are_refused(self):
        with self.assertRaisesRegex(ssl.SSLError, "HANDSHAKE_FAILURE"):
            self.handshake(ssl.TLSVersion.TLSv1_2, "AES256-GCM-SHA384:@SECLEVEL=0")

    def test_plain_http_is_sent_to_https(self):
        answer = client.ask(PROXY.http, "GET", "/api/v1/config?a=b", {"Host": SERVER_NAME}, tls=False)
        self.assertEqual((answer.status, answer.headers["location"]), (308, f"https://{SERVER_NAME}/api/v1/config?a=b"))
        self.assertLessEqual(HEADERS.items(), answer.headers.items())
        self.assertNotIn("strict-transport-security", answer.headers)


class Headers(unittest.TestCase):
    def test_every_answer_has_them_errors_included(self):
        answers = {
            200: ask("GET", "/api/v1/config"),
            404: ask("GET", "/missing"),
            403: ask("GET", "/metrics"),
            413: ask("POST", "/api/v1/parties", next(CALLERS), body=b" " * (MB + 100_000)),
            504: ask("POST", "/slam", next(CALLERS)),
            503: ask("GET", "/slam", next(CALLERS)),
            400: ask("GET", "/", {"Host": "a b"}),
            429: refused(next(CALLERS)),
        }
        for status, answer in answers.items():
            with self.subTest(status=status):
                self.assertEqual(answer.status, status)
                self.assertLessEqual(HEADERS.items(), answer.headers.items())
                self.assertRegex(answer.headers["strict-transport-security"], "max-age=63072000")
                self.assertIn("frame-ancestors 'self'", answer.headers["content-security-policy"])
                self.assertEqual(answer.headers["server"], "nginx")
        for status, code in {
            403: "FORBIDDEN",
            413: "PAYLOAD_TOO_LARGE",
            429: "RATE_LIMITED",
            503: "UNAVAILABLE",
            504: "OUTCOME_UNKNOWN",
        }.items():
            with self.subTest(status=status):
                problem = answers[status].json()
                self.assertEqual((problem["status"], problem["code"], problem["success"]), (status, code, False))
                self.assertEqual(answers[status].headers["content-type"], "application/problem+json")
                self.assertEqual(answers[status].headers.get("retry-after"), "1" if status in (429, 503) else None)

    def test_metrics_are_closed_however_they_are_spelt(self):
        seen = len(PROXY.stub.seen)
        for path in ("/metrics", "/metrics?x", "//metrics", "/%6detrics", "/a/../metrics"):
            self.assertEqual(ask("GET", path).status, 403, path)
        self.assertEqual(PROXY.stub.since(seen), [])

    def test_what_a_client_says_of_its_address_is_overwritten(self):
        forged = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Forwarded-Host": "evil.test"}
        seen = len(PROXY.stub.seen)
        ask("GET", "/forged", forged | next(CALLERS) | {"Host": SERVER_NAME})
        headers = PROXY.stub.since(seen)[0].headers
        self.assertRegex(headers["x-forwarded-for"], r"^(?!203\.0\.113\.9)[\d.]+$")
        self.assertEqual((headers["x-forwarded-proto"], headers["host"]), ("https", SERVER_NAME))
        self.assertFalse({"forwarded", "x-forwarded-host"} & headers.keys())

        line = eventually(5, "the line", lambda: [line for line in PROXY.project.lines("nginx") if line["path"] == "/forged"])
        self.assertEqual(line[0]["ip"], headers["x-forwarded-for"])

    def test_the_log_has_no_arguments_no_tokens_and_no_probes(self):
        ask("GET", "/livez")
        ask("GET", "/health")
        ask("GET", "/api/v1/media/x/file?signature=kept-out", token("kept-out"))
        ask("GET", "/logged?signature=kept-out", next(CALLERS) | {"Referer": "https://x.test/?kept-out"})
        eventually(5, "the line", lambda: any(line["path"] == "/logged" for line in PROXY.project.lines("nginx")))
        whole = PROXY.project.log("nginx")
        self.assertNotIn("kept-out", whole)
        self.assertNotRegex(whole, '"path":"/(livez|health)"')

    def test_a_request_has_one_name_in_both_logs(self):
        for given, kept in (("good-name_1", True), ("not good", False), ("x" * 65, False)):
            seen = len(PROXY.stub.seen)
            ask("GET", "/named", {"X-Request-Id": given} | next(CALLERS))
            name = PROXY.stub.since(seen)[0].headers["x-request-id"]
            self.assertEqual(name == given, kept)
            self.assertRegex(name, "^[A-Za-z0-9_-]{1,64}$")


class Limits(unittest.TestCase):
    def statuses(self, requests, connections=20):
        """Asks many at once, by requests that do not wait for answers; each is a path and headers."""
        return [status for told in pool(self.pipelined, requests, connections) for status in told]

    def pipelined(self, requests):
        lines = [
            f"GET {path} HTTP/1.1\r\nHost: {SERVER_NAME}\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            + "\r\n"
            for path, headers in requests
        ]
        with client.context().wrap_socket(socket.create_connection(("127.0.0.1", PROXY.https), timeout=60)) as line:
            line.sendall("".join(lines).encode())
            file = line.makefile("rb")
            return [self.status(file) for _ in requests]

    def status(self, file):
        """Reads one answer."""
        status = int(file.readline().split()[1])
        length = 0
        while (field := file.readline().strip().lower()) != b"":
            if field.startswith(b"content-length:"):
                length = int(field.split(b":")[1])
        file.read(length)
        return status

    def until_refused(self, request, most):
        """Asks in batches until one is refused; gives how many were not."""
        passed = 0
        while passed < most:
            statuses = self.statuses([request(passed + n) for n in range(1000)])
            passed += statuses.count(200)
            if 429 in statuses:
                return passed
        self.fail(f"nothing was refused of {passed}")

    # In the order of their names: the first needs an address that has asked for little
    def test_1_forty_guests_of_one_address_page_through_the_gallery(self):
        guests = [token(f"guest{number}") for number in range(40)]
        requests = []
        for guest in guests:
            requests += [(f"/api/v1/parties/one/media?cursor={page}", guest) for page in range(5)]
            requests += [(f"/api/v1/media/{photo}/thumb", {}) for photo in range(40)]
        statuses = self.statuses(requests)
        self.assertEqual((len(statuses), set(statuses)), (1800, {200}))

    def test_2_one_caller_is_held_whatever_its_address_may(self):
        caller = next(CALLERS)
        passed = self.until_refused(lambda _: ("/api/v1/config", caller), 2000)
        self.assertGreaterEqual(passed, 21)
        self.assertEqual(ask("GET", "/api/v1/config", next(CALLERS)).status, 200, "others are not")

    def test_3_who_has_no_token_is_known_by_the_address(self):
        self.until_refused(lambda _: ("/api/v1/config", {}), 2000)

    def test_4_who_invents_tokens_is_held_by_the_address(self):
        passed = self.until_refused(lambda number: ("/api/v1/config", token(f"invented{number}")), 20_000)
        self.assertGreaterEqual(passed, 200)

    def test_5_health_is_never_limited(self):
        statuses = self.statuses([(path, {}) for path in ("/health", "/health/ready", "/livez") * 300])
        self.assertEqual(set(statuses), {200})

    def test_6_files_have_a_limit_of_their_own(self):
        passed = self.until_refused(lambda number: (f"/api/v1/media/{number}/file", {}), 60_000)
        self.assertGreaterEqual(passed, 2000 - 1600)


class Retries(unittest.TestCase):
    def hits(self, method, path):
        """How often replicas see a request of one client, and what the client hears."""
        seen = len(PROXY.stub.seen)
        status = ask(method, path, next(CALLERS)).status
        return len(PROXY.stub.since(seen)), status

    def test_1_safe_methods_are_tried_on_another_replica(self):
        self.assertEqual(self.hits("GET", "/api/v1/slam"), (2, 503))
        # Who says so is not ill: the answer is passed on
        self.assertEqual(self.hits("GET", "/api/v1/busy"), (1, 503))
        self.assertEqual(self.hits("GET", "/socket.io/busy"), (2, 503))

    def test_2_anything_else_is_sent_once_and_may_have_been_done(self):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            self.assertEqual(self.hits(method, "/api/v1/slam"), (1, 504), method)
        for method in ("POST", "PUT", "DELETE"):
            eventually(30, "a replica is believed again", lambda: ask("POST", UPLOAD, next(CALLERS)).status == 200)
            self.assertEqual(self.hits(method, "/api/v1/uploads/slam"), (1, 504), method)
            self.assertEqual(self.hits(method, "/api/v1/busy"), (1, 503), method)

    def test_3_what_costs_much_is_asked_of_one_replica(self):
        for posts in (0, 2):
            # Each makes nginx believe one replica less
            for _ in range(posts):
                self.hits("POST", "/api/v1/slam")
            self.assertEqual(self.hits("GET", "/api/v1/parties/slam/archive.zip"), (1, 503), f"after {posts} slammed")

    def test_4_polls_stay_with_the_replica_that_opened_them(self):
        opened = [ask("GET", "/socket.io/?transport=polling") for _ in range(10)]
        at = {answer.json()["at"] for answer in opened}
        self.assertEqual(len(at), 1, "without a cookie the address decides")
        cookie = opened[0].headers["set-cookie"]
        for word in ("Path=/socket.io/", "HttpOnly", "Secure", "SameSite=lax"):
            self.assertIn(word.lower(), cookie.lower())
        polls = [ask("GET", "/socket.io/?sid=1", {"Cookie": cookie.split(";")[0]}) for _ in range(10)]
        self.assertEqual({answer.json()["at"] for answer in polls}, at)

    def test_5_replicas_are_found_and_lost_by_dns_alone(self):
        first, second = PROXY.stub.addresses
        for named in ([second], [first], [first, second]):
            PROXY.stub.named = named
            PROXY.serves_all()

    def test_6_nothing_fails_while_a_replica_is_named_and_gone(self):
        PROXY.stub.close_one()
        eventually(30, "the other replica is believed", lambda: ask("POST", UPLOAD, next(CALLERS)).status == 200)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            hits = [self.hits(method, "/api/v1/refused") for _ in range(6)]
            self.assertEqual(hits, [(1, 200)] * 6, method)
        self.assertEqual(self.hits("POST", UPLOAD), (1, 200))


class Connections(unittest.TestCase):
    def test_sockets_are_upgraded_and_nothing_else(self):
        wish = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "a", "Sec-WebSocket-Version": "13"}
        for path in ("/ws", "/socket.io/?transport=websocket"):
            with client.context().wrap_socket(socket.create_connection(("127.0.0.1", PROXY.https), timeout=10)) as line:
                head = "".join(f"{name}: {value}\r\n" for name, value in wish.items())
                line.sendall(f"GET {path} HTTP/1.1\r\nHost: {SERVER_NAME}\r\n{head}\r\n".encode())
                told = line.recv(4096)
                self.assertTrue(told.startswith(b"HTTP/1.1 101"), told)
                line.sendall(b"both ways")
                self.assertTrue(line.recv(100).endswith(b"both ways"))
        for path, headers in (("/api/v1/config", wish), ("/ws", {})):
            seen = len(PROXY.stub.seen)
            self.assertEqual(ask("GET", path, headers | next(CALLERS)).status, 200)
            told = PROXY.stub.since(seen)[0].headers
            self.assertFalse({"upgrade"} & told.keys(), path)
            self.assertNotIn("upgrade", told.get("connection", ""))

    def test_an_upload_of_200_mb_passes_as_it_comes(self):
        size, half = 200 * MB, 100 * MB
        connection = client.connect(PROXY.https, within=120)
        seen = len(PROXY.stub.seen)
        connection.putrequest("POST", UPLOAD)
        for name, value in ({"Content-Length": str(size)} | next(CALLERS)).items():
            connection.putheader(name, value)
        connection.endheaders()
        chunk = bytes(MB)
        for _ in range(half // MB):
            connection.send(chunk)

        # What was sent is there, but for what sockets hold; nothing of it is in a file of nginx
        def arrived():
            return PROXY.stub.seen[seen].received > half - 16 * MB

        eventually(20, "the first half has arrived", arrived)
        files = PROXY.project.compose("exec", "-T", "nginx", "find", "/var/cache/nginx", "-type", "f")
        self.assertEqual(files.strip(), "")
        for _ in range((size - half) // MB):
            connection.send(chunk)
        answer = client.answered(connection)
        self.assertEqual((answer.status, answer.json()["received"]), (200, size))
        connection.close()

    def test_an_upload_of_more_is_refused_before_it_is_sent(self):
        connection = client.connect(PROXY.https)
        connection.putrequest("POST", UPLOAD)
        connection.putheader("Content-Length", str(230 * MB))
        connection.endheaders()
        answer = client.answered(connection)
        self.assertEqual((answer.status, answer.json()["code"]), (413, "PAYLOAD_TOO_LARGE"))
        connection.close()


if __name__ == "__main__":
    unittest.main()
