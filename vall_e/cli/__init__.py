"""The command line. One command a file; `app` finds them."""
