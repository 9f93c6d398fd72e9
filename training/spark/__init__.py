"""Spark: customers ranked by the executors of a cluster; imported only where `--engine spark` asks for it."""
