def test_the_total_is_the_sum(lab):
    got = lab.call("total", [1, 2, 3])
    assert got == 6, f"An order of 1, 2 and 3 costs {got}, and should cost 6."


def test_an_empty_order_costs_nothing(lab):
    assert lab.call("total", []) == 0
