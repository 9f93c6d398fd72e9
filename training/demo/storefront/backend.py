"""The shop's back end towards the service: it asks for rows, tells what was bought, and vouches for customers."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple

from itsdangerous import TimestampSigner
from itsdangerous.encoding import base64_encode

_TIMEOUT_S = 5.0


class Keys(NamedTuple):
    """The API keys of one site: the secret one stays here, the publishable one stands in its pages."""

    secret: str
    publishable: str


class Backend:
    """One site's client of the service. What cannot be had now is None: a page is shown without it.

    Args:
        address: host and port of the service.
        keys: those of the site.
        clock: the aware moment; a token is dated by it.
    """

    def __init__(self, address: tuple[str, int], keys: Keys, clock: Callable[[], datetime]) -> None:
        self.address, self.keys, self.clock = address, keys, clock

    def rows(self, requests: Sequence[Mapping[str, Any]], locale: str) -> list[dict[str, Any] | None]:
        """The answers for the rows of one page, no product twice; None for one that has none."""
        answer = self.call("POST", "/v1/batch", {"requests": list(requests), "distinct": True}, locale)
        if answer is None:
            return [None] * len(requests)
        return [row["body"] if row["status"] == 200 else None for row in answer["responses"]]

    def tell(self, events: Sequence[Mapping[str, Any]]) -> bool:
        """Tell what happened; whether all of it was accepted."""
        answer = self.call("POST", "/v1/events", {"events": list(events)})
        return answer is not None and not answer["rejected"]

    def call(self, method: str, path: str, document: Any = None, locale: str = "en") -> dict[str, Any] | None:
        """The document that the service answers with; None where it does not, or refuses."""
        headers = {"Authorization": f"Bearer {self.keys.secret}", "Accept-Language": locale}
        body = None
        if document is not None:
            headers["Content-Type"], body = "application/json", json.dumps(document)
        connection = HTTPConnection(*self.address, timeout=_TIMEOUT_S)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            found: dict[str, Any] = json.loads(answer.read())
        except (OSError, HTTPException, ValueError):
            return None
        finally:
            connection.close()
        return found if answer.status < 300 else None

    def token(self, customer_id: str) -> str:
        """A customer token, with which this customer's browser may ask for itself."""
        signer = _Signer(hashlib.sha256(self.keys.secret.encode()).hexdigest(), self.clock)
        return signer.sign(f"{self.keys.secret.split('_')[1]}.{base64_encode(customer_id).decode()}").decode()


class _Signer(TimestampSigner):
    """Signs as any shop does, at the time of the demo's clock."""

    def __init__(self, key: str, clock: Callable[[], datetime]) -> None:
        super().__init__(key, "reprise.customer-token", key_derivation="hmac", digest_method=hashlib.sha256)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock().timestamp())
