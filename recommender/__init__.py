"""What a purchase history says, how ranked lists become slates, and where they are kept.

Nothing is re-exported here: import the module you mean, so that the service never loads what it does not use.
"""

DISTRIBUTION = "reprise-recommender"
"""Name of the installed package in Python's metadata; `reprise` on the public index is somebody else's."""
