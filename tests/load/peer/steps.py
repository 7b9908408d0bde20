"""Durable steps on DBOS, a durable-execution library that keeps what happened in PostgreSQL: so many workflows at once, each with so
many steps that do nothing. Says for each number of workflows how many seconds it took: `workflows seconds`, a line each.

    python steps.py POSTGRES_URL STEPS WORKFLOWS...
"""

import asyncio
import logging
import sys
import time

from dbos import DBOS, DBOSConfig


@DBOS.step()
async def step(number: int) -> int:
    return number


@DBOS.workflow()
async def workflow(steps: int) -> None:
    for number in range(steps):
        await step(number)


async def run(workflows: int, steps: int) -> None:
    handles = [await DBOS.start_workflow_async(workflow, steps) for _ in range(workflows)]
    await asyncio.gather(*(handle.get_result() for handle in handles))


async def main(steps: int, counts: list[int]) -> None:
    # Not measured: whatever is done once.
    await run(1, steps)
    for workflows in counts:
        began = time.monotonic()
        await run(workflows, steps)
        print(workflows, time.monotonic() - began, flush=True)


if __name__ == "__main__":
    url, steps, *counts = sys.argv[1:]
    config: DBOSConfig = {
        "name": "steps",
        "system_database_url": url,
        "log_level": "ERROR",
        # As many sessions as ours would be wrong: it is told to use what it likes best on two cores.
        "sys_db_pool_size": 20,
    }
    logging.getLogger("dbos").setLevel(logging.ERROR)
    DBOS(config=config)
    DBOS.launch()
    asyncio.run(main(int(steps), [int(count) for count in counts]))
    DBOS.destroy()
