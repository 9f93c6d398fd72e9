"""Customer tokens: the shop's back end vouches that a browser belongs to a customer.

    <key_id>.<customer_id>.<seconds since 1970>.<signature>

Each part but the key id is base64url without padding: the id's UTF-8, the number's bytes with the highest first, and
an HMAC-SHA256 of all before it, as itsdangerous' TimestampSigner writes it. The signing key is the HMAC-SHA256 of the
salt under the hexadecimal SHA-256 of a secret API key: the back end computes it from the key that it has, the server
from the digest that it keeps.
"""

from collections.abc import Mapping
from datetime import datetime

from itsdangerous import BadData, SignatureExpired
from itsdangerous.encoding import base64_decode

from api.security.signer import Signer
from recommender.errors import UnauthorizedError
from recommender.storage.api_keys import ApiKey

HEADER = "Reprise-Customer-Token"
SALT = "reprise.customer-token"
CLOCK_SKEW_S = 60
"""A back end's clock may be so much ahead or behind."""
_REMEDY = f"have the shop's back end sign one and send it as `{HEADER}`"


def read_customer(token: str | None, keys: Mapping[str, ApiKey], shop: str, now: datetime, ttl_s: int) -> str:
    """The customer_id that `token` names.

    Args:
        token: as it was sent; None where none was.
        keys: every API key by its id.
        shop: the shop of the caller; another's back end cannot sign for it.
        now: aware.
        ttl_s: how long a token is good.

    Raises:
        UnauthorizedError: there is no token, it has expired, or no secret key of the shop with scope read signed it.
    """
    if not token:
        raise UnauthorizedError(f"a customer's list needs a customer token; {_REMEDY}")
    key = keys.get(token.partition(".")[0])
    # a publishable key is no secret, so its digest signs nothing; neither does one that may not read
    if key is None or key.kind != "secret" or key.shop != shop or "read" not in key.scopes:
        raise UnauthorizedError(f"no key of this shop signed the customer token; {_REMEDY}")
    try:
        # a token of a clock ahead is not of the future
        signer = Signer(key, SALT, int(now.timestamp()) + CLOCK_SKEW_S)
        value = signer.unsign(token, max_age=ttl_s + 2 * CLOCK_SKEW_S)
        return base64_decode(value.partition(b".")[2]).decode()
    except SignatureExpired:
        raise UnauthorizedError(f"the customer token has expired, or is of a clock that is ahead; {_REMEDY}") from None
    except (BadData, ValueError):
        raise UnauthorizedError(f"the customer token is not signed by its key; {_REMEDY}") from None
