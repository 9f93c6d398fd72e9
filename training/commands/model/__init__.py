"""Commands that train, evaluate, publish and describe a version."""
