"""Server: the processes and sockets of `reprise serve`."""
