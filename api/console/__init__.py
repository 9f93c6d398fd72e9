"""The console at /console: pages for people without a terminal, made on the server; they work without scripts.

A view (`api.console.views`) says what a page holds, as data (`api.console.page`); `api.console.rendering` makes HTML or
CSV of it. `api.console.session` says who looks, `api.console.changing` what may be changed and how it is undone.
"""
