"""Google's Functions Framework with its users in memory."""

import functions_framework

USERS = {"1": {"id": "1", "name": "Ada", "followers": ["2", "3"]}}


@functions_framework.http
def app(request):
    return USERS[request.path.rpartition("/")[2]]
