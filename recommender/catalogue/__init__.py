"""Products while a version answers: as published, as the shop overrides them, and new ones."""
