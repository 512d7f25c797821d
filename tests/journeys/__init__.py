"""Journeys: people's ways through the running demo, in headless Chromium."""
