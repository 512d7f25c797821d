"""A mail outbox: takes every mail over SMTP, sends none on, and shows them in the browser."""
