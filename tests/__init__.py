"""Tests: mirror app/, plus browser journeys."""
