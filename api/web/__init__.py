"""HTTP: parsing, problems, responses, the OpenAPI document."""
