"""Connections to Redis or Valkey: addresses, topology, clients, the embedded server."""
