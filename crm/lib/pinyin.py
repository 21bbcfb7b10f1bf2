"""What people type to find a Chinese name: the name, its pinyin, its initials, and those of its everyday short form."""

import re
import unicodedata

from pypinyin import Style, lazy_pinyin

# A division's suffix after its name: 杭州市 → 杭州, 西湖区 → 西湖; people leave it out.
_DIVISION = re.compile(r"([\u4e00-\u9fff]{2,5}?)(?:省|市|自治区|自治州|地区|县|区|盟|旗)(?=[\u4e00-\u9fff]{2})")
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
    return "".join(lazy_pinyin(text)).lower().replace(" ", "")


def initials(text: str) -> str:
    """The first letters of the text's syllables, lower case."""
    return "".join(lazy_pinyin(text, style=Style.FIRST_LETTER)).lower().replace(" ", "")


def search_text(*, name: str, short_name: str, code: str) -> str:
    """Everything a search box looks in, in one lower-case column."""
    forms = dict.fromkeys(form for form in (name, short_name, short_form(name)) if form)
    words = [code, *forms, *(full_pinyin(form) for form in forms), *(initials(form) for form in forms)]
    return " ".join(dict.fromkeys(word.lower() for word in words))
