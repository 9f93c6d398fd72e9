"""Commands of `reprise`, one file each; `recommender.cli` names them."""
