"""A company to show: invented people, customers and figures on real administrative divisions.

Everything but `load` is pure: the same seed and the same day give the same company.
"""
