"""Google's Functions Framework (https://github.com/GoogleCloudPlatform/functions-framework-python)."""

import functions_framework
from google.cloud import firestore

db = firestore.Client()


@functions_framework.http
def app(request):
    user_id = request.path.rpartition("/")[2]
    user = db.collection("users").document(user_id).get().to_dict()
    return {"id": user_id, "name": user["name"], "followers": user["followers"]}
