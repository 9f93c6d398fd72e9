"""What every answer tells browsers: it is data, for whoever asked for it, and nothing to be run or framed.

See https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers. Pages that read an
answer by fetch are let in by CORS (`api.security.cors`), which Cross-Origin-Resource-Policy does not touch.
"""

SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""A route may say otherwise: the pages at /docs have a policy of their own."""
