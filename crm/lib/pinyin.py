"""What people type to find a Chinese name: the name, its pinyin, its initials, and those of its everyday short form."""

import re
import unicodedata
from collections import defaultdict
from functools import lru_cache

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT, RE_HANS

# A division's suffix after its name: 杭州市 → 杭州, 西湖区 → 西湖; people leave it out.
_DIVISION = re.compile(r"([\u4e00-\u9fff]{2,5}?)(?:省|市|自治区|自治州|地区|县|区|盟|旗)(?=[\u4e00-\u9fff]{2})")
_HAN = RE_HANS.pattern.removeprefix("^(?:[").removesuffix("])+$")
_RUN = re.compile(f"[{_HAN}]+|[^{_HAN}]+")
_OFFICE = re.compile(r"(?:有限责任公司|股份有限公司|有限公司|委员会|分局|总队|支队|局|厅|委)$")


def normalized(text: str) -> str:
    """One form for every way to type the same characters."""
    return unicodedata.normalize("NFKC", text).strip()


def short_form(name: str) -> str:
    """The name as people say it: 杭州市公安局 → 杭州公安."""
    spoken, position = "", 0
    while match := _DIVISION.match(name, position):
        spoken, position = spoken + match.group(1), match.end()
    return _OFFICE.sub("", spoken + name[position:]) or name


def full_pinyin(text: str) -> str:
    """The pinyin of the text in one word, lower case."""
    return _spelled(text)[0]


def initials(text: str) -> str:
    """The first letters of the text's syllables, lower case."""
    return _spelled(text)[1]


def search_text(*, name: str, short_name: str, code: str) -> str:
    """Everything a search box looks in, in one lower-case column."""
    forms = dict.fromkeys(form for form in (name, short_name, short_form(name)) if form)
    words = [code, *forms, *(full_pinyin(form) for form in forms), *(initials(form) for form in forms)]
    return " ".join(dict.fromkeys(word.lower() for word in words))


@lru_cache(maxsize=1000)
def _spelled(text: str) -> tuple[str, str]:
    """A text's pinyin and initials at once: a name is asked for both, and names are spelled by the hundred thousand."""
    spelled = [_spelled_word(word) for run in _RUN.findall(text) for word in _words(run)]
    return "".join([full for full, _first in spelled]), "".join([first for _full, first in spelled])


@lru_cache(maxsize=50_000)
def _spelled_word(word: str) -> tuple[str, str]:
    full, first = "".join(lazy_pinyin([word])), "".join(lazy_pinyin([word], style=Style.FIRST_LETTER))
    return full.lower().replace(" ", ""), first.lower().replace(" ", "")


def _words(run: str) -> list[str]:
    """The longest phrases that a run of characters begins with, one after the other, as pypinyin finds them."""
    if not RE_HANS.match(run):
        return [run]
    sizes, words, start = _sizes_of_phrases(), [], 0
    while start < len(run):
        for size in sizes.get(run[start : start + 2], ()):
            if (word := run[start : start + size]) in PHRASES_DICT:
                break
        else:
            word = run[start]
        words.append(word)
        start += len(word)
    return words


@lru_cache(maxsize=1)
def _sizes_of_phrases() -> dict[str, tuple[int, ...]]:
    """How long the phrases are that two characters begin, the longest first."""
    sizes: dict[str, set[int]] = defaultdict(set)
    for phrase in PHRASES_DICT:
        sizes[phrase[:2]].add(len(phrase))
    return {pair: tuple(sorted(found, reverse=True)) for pair, found in sizes.items()}
