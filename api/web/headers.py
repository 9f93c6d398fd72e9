"""Security headers of every answer: it is data for the page that asked, and nothing to be run or framed.

See https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers. Pages that read an
answer by fetch are let in by CORS (`api.security.cors`), which Cross-Origin-Resource-Policy does not touch.
"""

SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""Defaults; a route may set others: the pages at /docs have a policy of their own."""
