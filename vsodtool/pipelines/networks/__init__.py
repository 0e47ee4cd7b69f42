"""Networks from and to weight files."""
