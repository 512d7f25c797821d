"""A stateful Stripe on loopback: API, hosted pages, signed webhooks and a clock that can be moved."""

API_VERSION = "2026-05-27.dahlia"
