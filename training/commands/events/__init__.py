"""Commands that archive and erase events."""
