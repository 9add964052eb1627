"""How many hidden units of the hyper functions are alive after training."""

from .read import RESULTS, read_csv, table


def hidden_units() -> str:
    """Return a row per model and seed, and what they were measured with."""
    rows = read_csv(RESULTS / "coco_mini/hidden_units.csv")
    lines = [
        [
            row["model"],
            row["seed"],
            row["part"],
            f"{100 * float(row['mean_alive']):.0f} %",
            f"{row['sites_none_alive']} of {row['sites']}",
        ]
        for row in rows
    ]
    header = "model | seed | part | units alive, mean over sites | sites with none alive"
    return (
        f"{table(header, lines)}\n\n"
        f"Alive: above 0 on any of {rows[0]['images']} validation persons; "
        f"{rows[0]['device']}, {rows[0]['date']}."
    )
