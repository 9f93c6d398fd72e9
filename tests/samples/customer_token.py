from base64 import urlsafe_b64encode
from hashlib import sha256

from itsdangerous import TimestampSigner


def customer_token(secret_key: str, customer_id: str) -> str:
    key_id, customer = secret_key.split("_")[1], urlsafe_b64encode(customer_id.encode()).decode().rstrip("=")
    digest = sha256(secret_key.encode()).hexdigest()
    signer = TimestampSigner(digest, "reprise.customer-token", key_derivation="hmac", digest_method=sha256)
    return signer.sign(f"{key_id}.{customer}").decode()
