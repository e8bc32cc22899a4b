"""A word for a colour, as an inspector would say it."""

from collections.abc import Sequence

import numpy as np

# upper end of the hue in degrees -> word
HUES = ((14, "red"), (42, "orange"), (70, "yellow"), (165, "green"), (200, "cyan"), (262, "blue"), (300, "purple"))
GREYS = ((45, "black"), (100, "dark gray"), (165, "gray"), (225, "light gray"), (256, "white"))  # upper end, word
LEAST_CHROMA = 0.16  # chroma over brightness below which a colour reads as grey; under any usual white balance
LEAST_DIFFERENCE = 16.0  # and in grey levels: dark noise has hues too


def color_word(rgb: Sequence[float] | np.ndarray) -> str:
    """The word for a colour (R, G, B) in [0, 255]: "dark gray", "brown", "light blue" ..."""
    red, green, blue = (float(value) for value in rgb)
    high, low = max(red, green, blue), min(red, green, blue)
    chroma = high - low
    if chroma < max(LEAST_DIFFERENCE, LEAST_CHROMA * high):
        level = 0.299 * red + 0.587 * green + 0.114 * blue
        return next(word for end, word in GREYS if level < end)
    if high == red:
        hue = 60 * ((green - blue) / chroma % 6)
    else:
        hue = 60 * ((blue - red) / chroma + 2) if high == green else 60 * ((red - green) / chroma + 4)
    word = next((name for end, name in HUES if hue < end), "pink" if hue < 345 and high > 120 else "red")
    if word in ("red", "orange", "yellow") and chroma < 0.75 * high and high < 190 and hue > 8:
        return "dark brown" if high < 90 else "brown"
    if high < 90:
        return f"dark {word}"
    return f"light {word}" if low > 130 and word != "pink" else word
