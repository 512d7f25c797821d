"""HTTP only: parse, call one verb, render. One file per audience; templates/ mirrors it."""
