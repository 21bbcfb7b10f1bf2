"""The rows that every installation starts with (DOMAIN §1)."""

PRODUCT_LINES = (
    ("mms", "MMS", "MMS"),
    ("urban-management", "城管", "Urban management"),
    ("police", "公安", "Police"),
    ("digital-city", "数字城市", "Digital city"),
    ("transport", "交通", "Transport"),
    ("emergency", "应急", "Emergency"),
    ("tourism", "旅游", "Tourism"),
)

DEPARTMENTS = (
    ("sales-management", "销售管理部", "Sales management department", True),
    ("tech-service", "技术服务部", "Technical service department", True),
    ("marketing", "市场部", "Marketing department", True),
    ("service", "服务部", "Service department", False),
)
