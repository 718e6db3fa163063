"""Public instances with optimal values proven to 30 digits."""
