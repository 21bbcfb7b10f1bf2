"""Make import files from the raw ones of Maven's CRM data: python -m scripts.prepare_maven_crm RAW OUT

The raw accounts do not say which regional office serves them; their deals do, through the sales agent's team. This
adds the column regional_office to accounts.csv: the office with most of the account's deals, of two with as many the
first by name. All other files are copied as they are.
"""

import csv
import shutil
import sys
from collections import Counter, defaultdict
from pathlib import Path

COPIED = ("products.csv", "sales_pipeline.csv", "sales_teams.csv")


def main(raw: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        shutil.copyfile(raw / name, out / name)
    offices = offices_of(read(raw / "sales_pipeline.csv"), read(raw / "sales_teams.csv"))
    accounts = [row | {"regional_office": offices[row["account"]]} for row in read(raw / "accounts.csv")]
    with (out / "accounts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, accounts[0].keys())
        writer.writeheader()
        writer.writerows(accounts)
    print(f"{len(accounts)} accounts with their regional office: {out / 'accounts.csv'}")


def offices_of(deals: list[dict[str, str]], teams: list[dict[str, str]]) -> dict[str, str]:
    """Each account's office."""
    office = {team["sales_agent"]: team["regional_office"] for team in teams}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for deal in deals:
        counts[deal["account"]][office[deal["sales_agent"]]] += 1
    return {account: min(count, key=lambda name: (-count[name], name)) for account, count in counts.items()}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
