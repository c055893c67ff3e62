import asyncio
import os

from bullmq import Queue


async def main():
    queue = Queue(
        "hubspot-associations",
        {
            "connection": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379"),
            "prefix": os.environ.get("QUEUE_PREFIX", "bull"),
        },
    )
    pairs = [[str(contact), str(9000 + contact)] for contact in range(101, 601)]
    await queue.add(
        "associate",
        {
            "version": 1,
            "fromObjectType": "contacts",
            "toObjectType": "companies",
            "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}],
            "pairs": pairs,
            "source": "crm-sync.py",
        },
    )
    await queue.close()


asyncio.run(main())
