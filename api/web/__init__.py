"""HTTP: parsing of requests, problems, responses, and the OpenAPI document."""
