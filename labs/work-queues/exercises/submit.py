"""Hand in documents to be rendered.

On the first of the month the CRM writes to every customer. It makes a list of tasks, such as
`{"name": "letter to Zoë", "seconds": 0.1}`, and hands them in; workers on other machines do the
rest.
"""

import pika


def submit(tasks: list[dict]) -> None:
    """Put every task into the queue `documents`, as a JSON message of its own."""
    raise NotImplementedError("submit the tasks")


if __name__ == "__main__":
    submit([{"name": f"letter-{number}", "seconds": 0.1} for number in range(1, 11)])
    print("ten letters handed in")
