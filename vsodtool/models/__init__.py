"""Networks and flow estimators. They never touch the disk themselves."""
