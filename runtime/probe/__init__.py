"""`stockd probe`: what only the broker itself can answer, asked read-only and slowly."""
