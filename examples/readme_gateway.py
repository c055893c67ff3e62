import json
import os
from urllib.request import Request, urlopen

gateway = os.environ.get("GATEWAY_URL", "http://127.0.0.1:3000")
inputs = [{"from": {"id": "101"}, "to": {"id": "202"}}]
create = f"{gateway}/crm/v4/associations/contacts/companies/batch/create"
body = json.dumps({"inputs": inputs}).encode()
answer = json.load(urlopen(Request(create, body, {"content-type": "application/json"})))
print(json.load(urlopen(gateway + answer["links"]["status"])))  # again until state is "done"
