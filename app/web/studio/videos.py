"""Placeholder until its page lands."""

from fastapi import APIRouter

router = APIRouter()
