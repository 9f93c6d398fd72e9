"""Thin views: parse, ask, answer. Each module defines `blueprint`."""
