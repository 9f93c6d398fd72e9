"""Analytics: customer value, experiments, and the number of products per placement that adds value."""
