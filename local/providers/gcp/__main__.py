"""`python -m local.providers.parent local.providers.gcp ENGINE_ADDRESS`: the plugin that the engine starts."""

from local.providers.gcp.provider import Gcp
from local.providers.server import serve

serve(Gcp())
