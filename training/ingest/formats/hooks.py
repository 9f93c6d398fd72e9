"""Hooks of formats: preparation of exports that are no table of purchase lines, by the names that formats know."""

from collections.abc import Callable, Mapping

import polars as pl

from training.ingest.formats.data_sets import (
    combine_dunnhumby,
    combine_hm,
    combine_instacart,
    combine_olist,
    prepare_dunnhumby,
    prepare_online_retail,
    prepare_tafeng,
)
from training.ingest.formats.shop_systems import (
    combine_magento,
    combine_prestashop,
    prepare_ga4,
    prepare_magento,
    prepare_prestashop,
    prepare_shopify,
    prepare_woocommerce,
)

PREPARE: Mapping[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {
    "online_retail": prepare_online_retail,
    "shopify": prepare_shopify,
    "ga4": prepare_ga4,
    "woocommerce": prepare_woocommerce,
    "magento": prepare_magento,
    "prestashop": prepare_prestashop,
    "dunnhumby": prepare_dunnhumby,
    "tafeng": prepare_tafeng,
}
"""Hooks that reshape one file, by the names that formats call them by."""

COMBINE: Mapping[str, Callable[[Mapping[str, pl.LazyFrame]], pl.LazyFrame]] = {
    "instacart": combine_instacart,
    "magento": combine_magento,
    "prestashop": combine_prestashop,
    "olist": combine_olist,
    "dunnhumby": combine_dunnhumby,
    "hm": combine_hm,
}
"""Hooks that join the files of a folder (stem → frame) into one frame."""
