"""The review page: its data, its server, and in `page/` what the browser gets."""
