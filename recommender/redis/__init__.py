"""Redis adapters of the ports in `recommender.storage`, and the scripts that run on the server."""
