import speed


def test_espeak_is_really_measured():
    row = speed.apart("espeak-ng", 1, 1)
    assert row.first_audio_seconds > 0
    assert 0 < row.rtf < 1
    assert row.peak_bytes > 2**20


def test_the_table_compares_with_its_first_row():
    rows = [
        speed.Row("embedded", 1, 2.0, 1.0, 0.4, 2**28),
        speed.Row("x", 1, 0.1, 0.01, 0.1, 2**24),
    ]
    first, second = speed.table(rows).splitlines()[2:]
    assert first == "| embedded | 1 | 2.00 | 1.0000 | 0.4000 | 256 | 1.000 |"
    assert second.endswith("| 16 | 0.250 |")
