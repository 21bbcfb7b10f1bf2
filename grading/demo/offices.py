"""Who the customers are: the bureaus, companies and go-betweens of a place, and what they buy."""

from dataclasses import dataclass

from grading.demo.places import MUNICIPALITIES, Level, Place

CUSTOMER, AGENT, GOVERNMENT_RELATION = "customer", "agent", "government_relation"


@dataclass(frozen=True)
class Office:
    """A kind of customer that a place may have."""

    slug: str
    name: str
    short: str
    lines: tuple[tuple[str, float], ...]  # product line, how likely it buys there; the first is its own
    weights: tuple[float, float, float]  # how likely a province, a prefecture, a county is a customer
    kind: str = CUSTOMER
    at_province: str = ""  # what it is called there, where it differs

    def code_at(self, place: Place) -> str:
        """The customer's code."""
        return f"{place.code}-{self.slug}"

    def name_at(self, place: Place) -> str:
        """The customer's full name: 杭州市公安局西湖分局, 桐庐县公安局, 浙江省公安厅."""
        if self.slug == "GA" and place.is_district and place.above:
            return f"{place.above.name}公安局{place.short if len(place.short) > 1 else place.name}分局"
        is_province = place.level == Level.PROVINCE and place.province not in MUNICIPALITIES
        return place.full_name + (self.at_province if is_province and self.at_province else self.name)

    def short_name_at(self, place: Place) -> str:
        """The name as people say it: 杭州公安."""
        return place.spoken + self.short


_MAIN, _SIDE, _FIRM, _RELATION = (9.0, 6.0, 1.6), (0.4, 0.25, 0.06), (0.8, 1.2, 0.0), (0.8, 0.7, 0.05)

BUREAUS = (
    Office(
        "GA", "公安局", "公安", (("police", 1), ("transport", 0.10), ("emergency", 0.06)), _MAIN, at_province="公安厅"
    ),
    Office(
        "CG", "城市管理局", "城管", (("urban-management", 1), ("mms", 0.20), ("digital-city", 0.12)), (0.0, 6.0, 1.6)
    ),
    Office("JT", "交通运输局", "交通", (("transport", 1), ("emergency", 0.12)), _MAIN, at_province="交通运输厅"),
    Office("YJ", "应急管理局", "应急", (("emergency", 1), ("digital-city", 0.08)), _MAIN, at_province="应急管理厅"),
    Office("WL", "文化和旅游局", "文旅", (("tourism", 1), ("digital-city", 0.06)), _MAIN, at_province="文化和旅游厅"),
    Office("SJ", "数据局", "数据局", (("digital-city", 1), ("mms", 0.15), ("urban-management", 0.12)), _MAIN),
    Office(
        "ZJ",
        "住房和城乡建设局",
        "住建",
        (("mms", 1), ("urban-management", 0.18)),
        _MAIN,
        at_province="住房和城乡建设厅",
    ),
)


def _side(slug: str, name: str, short: str, *lines: str, at_province: str = "") -> Office:
    bought = tuple((line, 1.0 if line == lines[0] else 0.2) for line in lines)
    return Office(slug, name, short, bought, _SIDE, at_province=at_province)


OTHERS = (
    _side("ZH", "综合行政执法局", "执法", "urban-management", "mms"),
    _side("XF", "消防救援局", "消防", "emergency"),
    _side("SL", "水利局", "水利", "emergency", "digital-city", at_province="水利厅"),
    _side("QX", "气象局", "气象", "emergency"),
    _side("HB", "生态环境局", "环保", "digital-city", "emergency", at_province="生态环境厅"),
    _side("ZR", "自然资源局", "自然资源", "mms", "digital-city", at_province="自然资源厅"),
    _side("SC", "市场监督管理局", "市监", "mms"),
    _side("WJ", "卫生健康委员会", "卫健", "emergency", "digital-city"),
    _side("ZW", "政务服务管理局", "政务", "digital-city"),
    _side("SP", "行政审批局", "审批", "digital-city"),
    _side("YL", "园林绿化局", "园林", "urban-management"),
    _side("RF", "人民防空办公室", "人防", "emergency"),
    _side("TY", "体育局", "体育", "tourism"),
    _side("WW", "文物局", "文物", "tourism"),
    _side("JQ", "风景名胜区管理委员会", "景区", "tourism", "emergency"),
    _side("GL", "公路事业发展中心", "公路", "transport"),
    _side("YZ", "道路运输事业发展中心", "运管", "transport"),
    _side("JC", "人民检察院", "检察院", "police"),
    _side("FY", "人民法院", "法院", "police"),
    _side("SF", "司法局", "司法", "police", at_province="司法厅"),
    _side("JY", "教育局", "教育", "digital-city", at_province="教育厅"),
    _side("MZ", "民政局", "民政", "digital-city", at_province="民政厅"),
    _side("NY", "农业农村局", "农业", "digital-city", at_province="农业农村厅"),
    _side("LY", "林业局", "林业", "emergency"),
    _side("RS", "人力资源和社会保障局", "人社", "digital-city", at_province="人力资源和社会保障厅"),
    _side("YB", "医疗保障局", "医保", "digital-city"),
    _side("HW", "环境卫生管理中心", "环卫", "urban-management", "mms"),
    _side("RM", "融媒体中心", "融媒体", "tourism", "digital-city"),
    Office("GJ", "公共交通集团有限公司", "公交", (("transport", 1),), _FIRM),
    Office("CT", "城市建设投资集团有限公司", "城投", (("mms", 1), ("urban-management", 0.3)), _FIRM),
    Office("LT", "文化旅游投资集团有限公司", "文旅集团", (("tourism", 1),), _FIRM),
    Office("DS", "大数据集团有限公司", "数据集团", (("digital-city", 1),), _FIRM),
)

GO_BETWEENS = (
    Office("DL1", "恒远信息技术有限公司", "恒远", (("police", 1),), _FIRM, AGENT),
    Office("DL2", "中拓系统集成有限公司", "中拓", (("digital-city", 1),), _FIRM, AGENT),
    Office("DL3", "安途智能科技有限公司", "安途", (("transport", 1),), _FIRM, AGENT),
    Office("XW", "人民政府新闻办公室", "新闻办", (("digital-city", 1),), _RELATION, GOVERNMENT_RELATION),
    Office("GX", "工业和信息化局", "工信", (("digital-city", 1),), _RELATION, GOVERNMENT_RELATION, "工业和信息化厅"),
    Office("FG", "发展和改革委员会", "发改", (("mms", 1),), _RELATION, GOVERNMENT_RELATION),
)

OFFICES = BUREAUS + OTHERS + GO_BETWEENS
