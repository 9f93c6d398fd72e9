"""The peer: FastAPI reads one ready answer with one GET through redis.asyncio.

BENCH_REDIS is the address of a Redis that has the answer of product `p1` under `bench:similar:p1`.
"""

import os

from fastapi import FastAPI, Response
from redis.asyncio import Redis

app = FastAPI(openapi_url=None)
redis = Redis.from_url(os.environ["BENCH_REDIS"])


@app.get("/v1/products/{product_id}/similar")
async def similar(product_id: str) -> Response:
    return Response(await redis.get(f"bench:similar:{product_id}"), media_type="application/json")
