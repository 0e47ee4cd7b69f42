"""A module for each format of annotation files; the table of them stands beside this folder."""
