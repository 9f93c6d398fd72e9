"""Commands that archive and erase what happened."""
