"""Commands of the service. Each module defines `command`."""
