"""Where the demo company sells: regions over the real provinces, and the places in them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

# code, name, English name, ((province's two digits, capital's prefecture code, capital in English), …)
REGIONS = (
    (
        "north",
        "华北大区",
        "North",
        (
            ("11", "110100", "Beijing"),
            ("12", "120100", "Tianjin"),
            ("13", "130100", "Shijiazhuang"),
            ("14", "140100", "Taiyuan"),
            ("15", "150100", "Hohhot"),
            ("21", "210100", "Shenyang"),
            ("22", "220100", "Changchun"),
            ("23", "230100", "Harbin"),
        ),
    ),
    (
        "east",
        "华东大区",
        "East",
        (
            ("31", "310100", "Shanghai"),
            ("32", "320100", "Nanjing"),
            ("33", "330100", "Hangzhou"),
            ("34", "340100", "Hefei"),
            ("36", "360100", "Nanchang"),
            ("37", "370100", "Jinan"),
        ),
    ),
    (
        "south",
        "华南大区",
        "South",
        (
            ("35", "350100", "Fuzhou"),
            ("41", "410100", "Zhengzhou"),
            ("42", "420100", "Wuhan"),
            ("43", "430100", "Changsha"),
            ("44", "440100", "Guangzhou"),
            ("45", "450100", "Nanning"),
            ("46", "460100", "Haikou"),
        ),
    ),
    (
        "southwest",
        "西南大区",
        "Southwest",
        (
            ("50", "500100", "Chongqing"),
            ("51", "510100", "Chengdu"),
            ("52", "520100", "Guiyang"),
            ("53", "530100", "Kunming"),
            ("54", "540100", "Lhasa"),
        ),
    ),
    (
        "northwest",
        "西北大区",
        "Northwest",
        (
            ("61", "610100", "Xi'an"),
            ("62", "620100", "Lanzhou"),
            ("63", "630100", "Xining"),
            ("64", "640100", "Yinchuan"),
            ("65", "650100", "Urumqi"),
        ),
    ),
)
REGION_OF_PROVINCE = {province: code for code, _, _, capitals in REGIONS for province, _, _ in capitals}
MUNICIPALITIES = ("11", "12", "31", "50")

_PEOPLES = (
    "壮族|回族|维吾尔族?|哈萨克族?|柯尔克孜族?|蒙古族?|藏族|羌族|彝族|苗族|侗族|布依族|土家族|朝鲜族|满族|白族|傣族|景颇族|"
    "傈僳族|哈尼族|黎族|瑶族|畲族|仫佬族|毛南族|仡佬族|水族|佤族|拉祜族|布朗族|纳西族|独龙族|怒族|普米族|撒拉族|土族|东乡族|"
    "保安族|裕固族|塔吉克族?|锡伯族?|达斡尔族|鄂温克族|鄂伦春族?|各族"
)
_AUTONOMOUS = re.compile(rf"^(.{{2,}}?)(?:{_PEOPLES})*自治[区州县旗]$")
_PLAIN = re.compile(r"^(.{2,}?)(?:省|市|地区|盟|区|县|旗)$")


class Level(IntEnum):
    """How high a place stands; parents first."""

    PROVINCE = 1
    PREFECTURE = 2
    COUNTY = 3


@dataclass(frozen=True)
class Place:
    """A division that has offices."""

    code: str
    name: str
    level: Level
    above: "Place | None"

    @property
    def province(self) -> str:
        """The two digits of its province."""
        return self.code[:2]

    @property
    def short(self) -> str:
        """The name as people say it: 杭州, 西湖, 延边."""
        match = _AUTONOMOUS.match(self.name) or _PLAIN.match(self.name)
        return match.group(1) if match else self.name

    @property
    def is_district(self) -> bool:
        """Part of a city, whose name its offices carry in front."""
        return self.level == Level.COUNTY and self.name.endswith("区") and self.above is not None

    @property
    def full_name(self) -> str:
        """The name in front of an office's: 杭州市西湖区, but 桐庐县."""
        return f"{self.above.name}{self.name}" if self.is_district and self.above else self.name

    @property
    def spoken(self) -> str:
        """The name in front of an office's short name: 杭州西湖, but 桐庐."""
        return f"{self.above.short}{self.short}" if self.is_district and self.above else self.short


def places_of(divisions: Iterable[tuple[str, str, str | None]]) -> list[Place]:
    """The mainland's places, parents first; headings such as 省直辖县 and development zones have no bureaus."""
    places: dict[str, Place] = {}
    for code, name, parent in divisions:
        if code[:2] in REGION_OF_PROVINCE and not _is_heading(code) and not _is_zone(code, name):
            above = code[:2] + "0000" if code[:2] in MUNICIPALITIES else parent
            places[code] = Place(code, name, _level(code), places.get(above or ""))
    return list(places.values())


def _is_heading(code: str) -> bool:
    return _level(code) == Level.PREFECTURE and (code[2:4] == "90" or code[:2] in MUNICIPALITIES)


def _is_zone(code: str, name: str) -> bool:
    return _level(code) == Level.COUNTY and (name[-1] not in "区县市旗" or (code[4:] > "70" and name[-1] != "市"))


def _level(code: str) -> Level:
    if code.endswith("0000"):
        return Level.PROVINCE
    return Level.PREFECTURE if code.endswith("00") else Level.COUNTY
