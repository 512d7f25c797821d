"""Plans as Stripe knows them: products and their prices."""

from typing import Any
from uuid import UUID

from app.billing.stripe_api.client import client, digest, in_our_words


async def put_product(plan_id: UUID, name: str, description: str, product_id: str | None) -> str:
    """Create or rename the product of a plan; answers its id."""
    words: dict[str, Any] = {"name": name}
    if description:
        words["description"] = description
    with in_our_words():
        if product_id is not None:
            return str((await client().v1.products.update_async(product_id, words)).id)  # type: ignore[arg-type]
        made = await client().v1.products.create_async(
            {**words, "metadata": {"limber_plan_id": str(plan_id)}},  # type: ignore[typeddict-item]
            {"idempotency_key": f"limber-product-{plan_id}-{digest(name, description)}"},
        )
    return str(made.id)


async def create_price(
    plan_id: UUID, product_id: str, amount_cents: int, currency: str, interval: str
) -> str:
    """A price of a product. `amount_cents` is in the currency's minor unit; `interval` is month, year or once."""
    rhythm: dict[str, Any] = {} if interval == "once" else {"recurring": {"interval": interval}}
    with in_our_words():
        made = await client().v1.prices.create_async(
            {
                "product": product_id,
                "unit_amount": amount_cents,
                "currency": currency,
                **rhythm,  # type: ignore[typeddict-item]  # month or year, by constraint
                "metadata": {"limber_plan_id": str(plan_id)},
            },
            {"idempotency_key": f"limber-price-{product_id}-{amount_cents}-{currency}-{interval}"},
        )
    return str(made.id)
