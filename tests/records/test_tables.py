"""Tables line up."""

from dyrelu_pose.records.tables import markdown_table, text_table


def test_text_table():
    assert text_table(("site", "maps"), [("relu", "8"), ("relu10", "16")], right=[1]) == "\n".join(
        [
            "site    maps",
            "------  ----",
            "relu       8",
            "relu10    16",
        ]
    )


def test_markdown_table():
    assert markdown_table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"
