"""How questions are read here: as plain lower-case words."""

LONGEST = 300  # characters of a question that is read; who writes more wants more than one figure


def plain(question: str) -> str:
    """Lower case, straight apostrophes, single blanks, nothing behind the last word; "" where it is too long."""
    return "" if len(question) > LONGEST else " ".join(question.lower().replace("’", "'").split()).rstrip(" ?.!")
