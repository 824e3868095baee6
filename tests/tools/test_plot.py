from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.tools.profile.plot import Series, line_chart, range_chart

NUMBERS = st.lists(st.floats(-1e6, 1e6), max_size=20)


@given(NUMBERS)
def test_a_chart_is_well_formed_and_stays_in_its_frame(values: list[float]) -> None:
    xs = [float(place) for place in range(len(values))]
    low, high = min(values, default=0.0), max(values, default=1.0)
    chart = line_chart(
        [Series("a < b", xs, values, dots=True)], "x & y", "title", (low, max(high, low + 1.0))
    )
    figure = ET.fromstring(chart)
    for dot in figure.iter("circle"):
        assert 0 <= float(dot.attrib["cx"]) <= 640
        assert 0 <= float(dot.attrib["cy"]) <= 260


@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0, 1e4)), min_size=1, max_size=9))
def test_bars_stay_in_their_frame(rows: list[tuple[float, float]]) -> None:
    chart = range_chart([("r", low, low + up / 2, low + up) for low, up in rows], "s", "title")
    for bar in ET.fromstring(chart).iter("rect"):
        x, width = float(bar.attrib["x"]), float(bar.attrib["width"])
        assert x >= 149
        assert x + width <= 640
