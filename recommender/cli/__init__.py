"""Command line `reprise`: its entry point, output, progress, and the commands about versions and keys."""
