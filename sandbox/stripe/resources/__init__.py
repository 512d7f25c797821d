"""One file for each family of Stripe's resources: its routes and the shapes of its objects."""
