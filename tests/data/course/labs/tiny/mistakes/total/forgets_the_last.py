# caught-by: test_the_total_is_the_sum
# hint: How many amounts did you look at?


def total(amounts: list[int]) -> int:
    return sum(amounts[:-1])
