"""Processes and sockets of `reprise serve`."""
