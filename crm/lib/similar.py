"""Names that are nearly the same: 杭州恒科科技有限公司 and 杭州恒科科技股份有限公司."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from rapidfuzz import fuzz, process

CLOSE = 90  # of 100: one character of ten, or 杭州公安局 beside 杭州市公安局
OFTEN = 5  # times as often as a slip of the pen
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
    return _spoken(name).replace(" ", "")


def pieces(name: str) -> list[str]:
    """Parts of a name's longest word of which a name close to it holds at least one as it is: for a first sieve."""
    word = max(_spoken(name).split() or [""], key=len)
    differing = max(1, len(core(name)) * 2 * (100 - CLOSE) // 100)  # signs that may be there or not
    size = max(2, len(word) // (differing + 1))
    return [word[at : at + size] for at in range(0, len(word) - size + 1, size)] or [word] * bool(word)


def _spoken(name: str) -> str:
    spoken = _SIGNS.sub(" ", unicodedata.normalize("NFKC", name).lower()).strip()
    while (shorter := _SUFFIX.sub("", spoken).strip()) != spoken and shorter:
        spoken = shorter
    return spoken


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
        """The known name most like this one, if any is close."""
        return next(iter(self.like(name, 3)), None)

    def like(self, name: str, most: int) -> list[Likeness]:
        """The known names that are close to this one, the closest first; other numerals are another name."""
        asked = core(name)
        keys = self._candidates(asked)
        near = [self._cores[key] for key in keys]
        return [
            Likeness(keys[at], self._names[keys[at]], int(score))
            for found, score, at in process.extract(asked, near, scorer=fuzz.ratio, score_cutoff=CLOSE, limit=most)
            if _NUMERAL.findall(found) == _NUMERAL.findall(asked)
        ]

    def _candidates(self, asked: str) -> list[int]:
        shared = sorted((len(self._places[pair]), pair) for pair in _pairs(asked) if pair in self._places)
        found: dict[int, None] = {}
        for _size, pair in shared[:_RAREST]:
            found.update(dict.fromkeys(self._places[pair][: _MOST - len(found)]))
        return list(found)


def slips(words: Mapping[str, int], known: Collection[str]) -> dict[str, str]:
    """Words that are not known and nearly one that is, or one that is said many times as often: with that one."""
    told = {other: core(other) for other in sorted({*known, *words})}
    found: dict[str, str] = {}
    for word, times in words.items():
        if word in known:
            continue
        others = [other for other in told if other in known or words[other] >= OFTEN * times]
        near = process.extractOne(told[word], [told[other] for other in others], scorer=fuzz.ratio, score_cutoff=CLOSE)
        if near is not None and _NUMERAL.findall(near[0]) == _NUMERAL.findall(told[word]):
            found[word] = others[near[2]]
    return found


def _pairs(name: str) -> set[str]:
    return {name[at : at + 2] for at in range(max(len(name) - 1, 1))} if name else set()


def _by_pair(cores: Mapping[int, str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for key, name in cores.items():
        for pair in _pairs(name):
            places[pair].append(key)
    return dict(places)
