"""The pages that Stripe would host: Checkout, the customer portal, an invoice, and the stand-in's own desk."""
