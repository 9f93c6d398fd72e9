"""Lua scripts that run on the server: the files of `scripts/`, a folder for each module that calls them."""

import hashlib
from importlib import resources
from typing import NamedTuple


class Script(NamedTuple):
    """Text of one script, the same for as long as the process runs, and its SHA-1 in hex, by which a server knows it.

    A server runs a script atomically. The head of its file states KEYS, ARGV and the answer.
    """

    text: str
    sha1: str


def load_script(*names: str, **constants: int) -> Script:
    """A script of one file, after files of functions that it calls, after `constants`, which are Lua locals.

    Args:
        names: paths under `scripts/` without `.lua`, the script itself last.
        constants: numbers that Python knows, so that they are written once.
    """
    folder = resources.files("recommender.redis").joinpath("scripts")
    head = [f"local {name} = {value}\n" for name, value in constants.items()]
    text = "".join([*head, *(folder.joinpath(f"{name}.lua").read_text("utf-8") for name in names)])
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
