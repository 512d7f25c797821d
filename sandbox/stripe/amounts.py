"""How discounts and taxes fall on lines. Pure arithmetic on whole minor units.

Source: https://docs.stripe.com/billing/subscriptions/coupons and https://docs.stripe.com/tax/tax-rates
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass(frozen=True)
class Off:
    """A discount: a percentage, or an amount in minor units; `products` limits what it is for (None: all)."""

    discount: str
    percent: Decimal | None = None
    amount: int = 0
    products: frozenset[str] | None = None

    def covers(self, product: str | None) -> bool:
        """Whether it is for this product."""
        return self.products is None or product in self.products


@dataclass(frozen=True)
class Rate:
    """A tax rate, in per cent; an inclusive one is already in the price."""

    rate: str | None
    percent: Decimal
    inclusive: bool
    reason: str = "standard_rated"


def rounded(value: Decimal) -> int:
    """The nearest whole number; halves go away from zero."""
    return int(value.to_integral_value(ROUND_HALF_UP))


def taken_off(amounts: list[int], covered: list[bool], off: Off) -> list[int]:
    """What a discount takes off each of these amounts; never more than there is of positive ones."""
    if off.percent is not None:
        return [
            rounded(Decimal(amount) * off.percent / 100) if yes else 0
            for amount, yes in zip(amounts, covered, strict=True)
        ]
    open_ = [max(0, amount) if yes else 0 for amount, yes in zip(amounts, covered, strict=True)]
    return spread(min(off.amount, sum(open_)), open_)


def spread(total: int, weights: list[int]) -> list[int]:
    """A total shared out in proportion, to the last unit; what is left over goes to the largest remainders."""
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda one: -(total * weights[one] % whole))
    for index in by_rest[: total - sum(shares)]:
        shares[index] += 1
    return shares


def tax_on(amount: int, rate: Rate) -> tuple[int, int]:
    """(tax, what it was reckoned on) for an amount after discounts: inclusive tax is taken out of it."""
    if rate.inclusive:
        net = rounded(Decimal(amount) * 100 / (100 + rate.percent))
        return amount - net, net
    return rounded(Decimal(amount) * rate.percent / 100), amount
