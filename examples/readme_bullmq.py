import asyncio

from bullmq import Queue


async def main():
    queue = Queue("hubspot-associations", {"connection": "redis://127.0.0.1:6379"})
    job = {"version": 1, "fromObjectType": "contacts", "toObjectType": "companies"}
    job["types"] = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]
    await queue.add("associate", {**job, "pairs": [["101", "202"]]})
    await queue.close()


asyncio.run(main())
