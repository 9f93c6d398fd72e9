"""Two-stage ranking: candidates, their features, a calibrated probability, ranked lists."""
