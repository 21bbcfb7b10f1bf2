"""Names that are nearly the same: 杭州恒科科技有限公司 and 杭州恒科科技股份有限公司."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rapidfuzz import fuzz, process

CLOSE = 90  # of 100: one character of ten, or 杭州公安局 beside 杭州市公安局
_SUFFIX = re.compile(
    r"(?:(?<=公司)\w{2,8}分公司|股份有限公司|有限责任公司|有限公司|集团公司|总公司|分公司|公司|集团|厂"
    r"|\b(?:co|corp|corporation|company|group|holdings?|inc|incorporated|limited|ltd|llc|plc|gmbh))$"
)
_SIGNS = re.compile(r"[^\w]+|_")
_NUMERAL = re.compile(r"[0-9一二三四五六七八九十]")
_RAREST = 3  # one changed character touches two pairs of neighbours, so that of three one is left
_MOST = 400  # names compared with one


class Likeness(NamedTuple):
    """A known name that is like another, and how much, of 100."""

    key: int
    name: str
    score: int


def core(name: str) -> str:
    """What distinguishes a name: without the company's form, signs and spaces, in one way of writing."""
    spoken = _SIGNS.sub(" ", unicodedata.normalize("NFKC", name).lower()).strip()
    while (shorter := _SUFFIX.sub("", spoken).strip()) != spoken and shorter:
        spoken = shorter
    return spoken.replace(" ", "")


class Names:
    """Known names, to be asked which is most like another one.

    Only names that share one of the rarest pairs of characters are compared: ten thousand questions against a
    hundred thousand names take seconds (bench/import).
    """

    def __init__(self, names: Iterable[tuple[int, str]]) -> None:
        self._names: dict[int, str] = dict(names)
        self._cores = {key: core(name) for key, name in self._names.items()}
        self._places: Mapping[str, list[int]] = _by_pair(self._cores)

    def __len__(self) -> int:
        return len(self._names)

    def most_like(self, name: str) -> Likeness | None:
        """The known name most like this one, if any is close; other numerals are another name."""
        asked = core(name)
        keys = self._candidates(asked)
        near = [self._cores[key] for key in keys]
        for found, score, at in process.extract(asked, near, scorer=fuzz.ratio, score_cutoff=CLOSE, limit=3):
            if _NUMERAL.findall(found) == _NUMERAL.findall(asked):
                return Likeness(keys[at], self._names[keys[at]], int(score))
        return None

    def _candidates(self, asked: str) -> list[int]:
        shared = sorted((len(self._places[pair]), pair) for pair in _pairs(asked) if pair in self._places)
        found: dict[int, None] = {}
        for _size, pair in shared[:_RAREST]:
            found.update(dict.fromkeys(self._places[pair][: _MOST - len(found)]))
        return list(found)


def _pairs(name: str) -> set[str]:
    return {name[at : at + 2] for at in range(max(len(name) - 1, 1))} if name else set()


def _by_pair(cores: Mapping[int, str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for key, name in cores.items():
        for pair in _pairs(name):
            places[pair].append(key)
    return dict(places)
