"""Stripe, as Limber talks to it: the only package that imports `stripe`."""

from app.billing.stripe_api.account import (
    Endpoint,
    account_id,
    endpoint_problem,
    endpoints,
    every_charge,
    every_purchase,
    every_subscription,
    undelivered,
)
from app.billing.stripe_api.client import API_VERSION, StripeDown, StripeRefused, close, is_live_key
from app.billing.stripe_api.customers import (
    Customer,
    create_customer,
    customer_of,
    find_customer,
    is_about_money,
    money_of,
)
from app.billing.stripe_api.payments import (
    find_charge_customer,
    first_unpaid_at,
    invoice_paid_by,
    list_charges,
    list_disputes,
    list_purchases,
    list_refunds,
    list_subscriptions,
)
from app.billing.stripe_api.products import create_price, put_product
from app.billing.stripe_api.selling import (
    CheckoutOrder,
    CheckoutSession,
    create_checkout,
    create_portal,
    expire_checkout,
    find_checkout,
)
from app.billing.stripe_api.signatures import BadSignature, verify

__all__ = [
    "API_VERSION",
    "BadSignature",
    "CheckoutOrder",
    "CheckoutSession",
    "Customer",
    "Endpoint",
    "StripeDown",
    "StripeRefused",
    "account_id",
    "close",
    "create_checkout",
    "create_customer",
    "create_portal",
    "create_price",
    "customer_of",
    "endpoint_problem",
    "endpoints",
    "every_charge",
    "every_purchase",
    "every_subscription",
    "expire_checkout",
    "find_charge_customer",
    "find_checkout",
    "find_customer",
    "first_unpaid_at",
    "invoice_paid_by",
    "is_about_money",
    "is_live_key",
    "list_charges",
    "list_disputes",
    "list_purchases",
    "list_refunds",
    "list_subscriptions",
    "money_of",
    "put_product",
    "undelivered",
    "verify",
]
