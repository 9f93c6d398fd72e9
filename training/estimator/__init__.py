"""The estimator: Reprise from Python, with the habits of scikit-learn."""

from training.estimator.repeat_recommender import RepeatRecommender

__all__ = ["RepeatRecommender"]
