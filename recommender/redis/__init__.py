"""What Redis keeps, and the scripts that run there: the adapters of `recommender.storage`."""
