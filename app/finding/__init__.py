"""The way in: one search, the muscles and conditions that the teacher writes of, and the body on which one points."""
