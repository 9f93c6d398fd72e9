"""Commands of `reprise`, one file each; `recommender.cli.main` names them."""
