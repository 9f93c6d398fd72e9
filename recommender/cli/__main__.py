"""`python -m recommender.cli`: the same as `reprise`."""

from recommender.cli.main import main

main()
