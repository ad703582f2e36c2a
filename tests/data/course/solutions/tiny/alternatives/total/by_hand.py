"""Add up an order, by hand."""


def total(amounts: list[int]) -> int:
    """Return the sum of all amounts."""
    result = 0
    for amount in amounts:
        result += amount
    return result
