"""The shop of `reprise demo`: a web site as a user of Reprise builds it, and a clock to move.

It asks the public HTTP API with keys of its own, vouches for its customers with tokens, and tells what they buy. Only
`reprise demo` starts it.
"""
