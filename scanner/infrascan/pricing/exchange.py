"""Amounts of other currencies in USD, so that totals add up what can be added.

The rate is the European Central Bank's of one day, in the table with its date. A currency without a
rate there has no price in USD: it is left out of totals, and said to be.
"""

from __future__ import annotations

from dataclasses import replace

from infrascan.model import Price
from infrascan.pricing.prices import Prices, UnpricedError


def dollars(price: Price, prices: Prices) -> Price:
    """The same price in USD, with the rate in its basis. Raises `UnpricedError`."""
    if price.currency == "USD":
        return price
    item = f"currency.{price.currency.lower()}"
    try:
        rate = prices.rate(item, "")
    except UnpricedError:
        amount = f"{price.monthly:.2f} {price.currency}"
        raise UnpricedError(f"{amount} a month, and no exchange rate for it") from None
    return replace(
        price,
        monthly=round(price.monthly * rate.usd, 2),
        currency="USD",
        source=", ".join(filter(None, (price.source, rate.source))),
        date=min(filter(None, (price.date, rate.date)), default=""),
        basis=f"{price.basis}; at {rate.usd:.6g} USD/{price.currency}",
    )
