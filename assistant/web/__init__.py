"""The web page: one file a panel, and what they share. `app.py` puts them together."""
