"""Currencies as prices name them: codes and signs, before or behind a number."""

from functools import cache

from babel.core import get_global

_SIGNS = (
    "€ EUR, £ GBP, ₹ INR, Rs INR, Rs. INR, ₺ TRY, TL TRY, ₽ RUB, руб RUB, руб. RUB, р. RUB, ₴ UAH, грн UAH, ₪ ILS, "
    "₩ KRW, ₫ VND, zł PLN, Kč CZK, Ft HUF, R$ BRL, US$ USD, C$ CAD, CA$ CAD, A$ AUD, AU$ AUD, лв BGN, lei RON, "
    "Fr. CHF, SFr. CHF, ฿ THB, ₱ PHP, ₦ NGN, ₸ KZT, ₾ GEL, ﷼ IRR, ریال IRR, ريال SAR, Rp IDR, S$ SGD, HK$ HKD, "
    "円 JPY, 원 KRW"
)
_SHARED = ("$", "¥", "元", "kr", "kr.", "تومان")
"""Signs of several currencies, or of none that has a code: they stand for themselves."""
_CODES = dict(each.split(" ") for each in _SIGNS.split(", "))


@cache
def codes_of_currencies() -> dict[str, str]:
    """Code or sign in small letters → the code, or the sign itself where several currencies use it."""
    codes = {code.lower(): code for code in get_global("all_currencies")}
    signs = {sign.lower(): code for sign, code in _CODES.items()}
    return codes | signs | dict(zip(_SHARED, _SHARED, strict=True)) | {"\uffe5": "¥"}  # in full width
