"""A stand-in for S3: it lists and gives objects, in parts as well, and knows no rights."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "bucket"


@contextmanager
def object_store(objects: Mapping[str, bytes]) -> Iterator[dict[str, str]]:
    """The environment in which `s3://bucket/KEY` gives the bytes of `objects[KEY]`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            key = unquote(asked.path).removeprefix(f"/{BUCKET}").removeprefix("/")
            if not key:
                prefix = parse_qs(asked.query).get("prefix", [""])[0]
                self._answer(200, _listing({name: body for name, body in objects.items() if name.startswith(prefix)}))
            elif key in objects:
                self._give(objects[key])
            else:
                self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

        do_HEAD = do_GET  # noqa: N815

        def _give(self, body: bytes) -> None:
            first, _, last = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
            if not (first or last) or self.command == "HEAD" or not body:
                self._answer(200, body)
                return
            start = int(first) if first else max(len(body) - int(last), 0)
            end = min(int(last) + 1 if first and last else len(body), len(body))
            self._answer(206, body[start:end], **{"Content-Range": f"bytes {start}-{end - 1}/{len(body)}"})

        def _answer(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            more = {"Content-Length": str(len(body)), "ETag": '"1"', "Last-Modified": "Sun, 01 Nov 2026 10:00:00 GMT"}
            for name, value in (more | headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is http.server's
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_address[1]}",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "s3cret",
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }
        server.shutdown()


def _listing(objects: Mapping[str, bytes]) -> bytes:
    contents = "".join(
        f"<Contents><Key>{escape(name)}</Key><Size>{len(body)}</Size><ETag>1</ETag>"
        "<LastModified>2026-11-01T10:00:00.000Z</LastModified></Contents>"
        for name, body in sorted(objects.items())
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()
