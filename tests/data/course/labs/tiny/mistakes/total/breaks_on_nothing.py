# caught-by: test_an_empty_order_costs_nothing
# hint: What is the first amount of an order without any?


def total(amounts: list[int]) -> int:
    result = amounts[0]
    for amount in amounts[1:]:
        result += amount
    return result
