"""The server around the page: who may come in, how much at a time, and what programs can ask.

`application.py` puts it together; `docs/serving.md` tells users of it.
"""
