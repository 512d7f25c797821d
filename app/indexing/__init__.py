"""The index of everything that can be found: documents, their passages, and the words that stand in them."""
