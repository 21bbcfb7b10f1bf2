"""Money is whole fen and rates are whole hundredths of a percent: exact on every database (docs/adr/0004)."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

FEN_PER_YUAN = 100
FEN_PER_WAN = 1_000_000
SCORE_UNIT = 10_000


def round_half_up(value: Decimal, places: int = 0) -> Decimal:
    """Round the way people in trade do; beside it there is only the cut of what is shown, wan_cut and wan_needed."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def fen(yuan: Decimal | int | str) -> int:
    """Whole fen of an amount in yuan. Raises ValueError where it has more than two decimals."""
    exact = Decimal(yuan) * FEN_PER_YUAN
    if exact != int(exact):
        raise ValueError(f"{yuan} yuan is not a whole number of fen")
    return int(exact)


def yuan(amount: int) -> Decimal:
    """The amount of whole fen in yuan, with two decimals."""
    return Decimal(amount).scaleb(-2)


def wan(amount: int) -> Decimal:
    """The amount of whole fen in 万元 (10,000 yuan), exact."""
    return Decimal(amount).scaleb(-6)


def wan_cut(amount: int) -> Decimal:
    """万元 to be shown, cut to two decimals: it never seems to reach a limit that the amount does not reach."""
    return wan(amount).quantize(Decimal("0.01"), rounding=ROUND_FLOOR)


def wan_needed(amount: int) -> Decimal:
    """万元 to be asked for, with two decimals and never less than the amount."""
    return wan(amount).quantize(Decimal("0.01"), rounding=ROUND_CEILING)


def basis_points(percent: Decimal | int | str) -> int:
    """Whole hundredths of a percent. Raises ValueError where it has more than two decimals."""
    exact = Decimal(percent) * 100
    if exact != int(exact):
        raise ValueError(f"{percent} % has more than two decimals")
    return int(exact)


def percent(rate: int) -> Decimal:
    """The percent of whole hundredths of a percent, with two decimals."""
    return Decimal(rate).scaleb(-2)


def score(units: int) -> Decimal:
    """The score of whole ten-thousandths of a point, with two decimals at least and never rounded."""
    exact = Decimal(units).scaleb(-4)
    return exact if units % 100 else exact.quantize(Decimal("0.01"))
