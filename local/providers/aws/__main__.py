"""`python -m local.providers.parent local.providers.aws ENGINE_ADDRESS`: the plugin that the engine starts."""

from local.providers.aws.provider import Aws
from local.providers.server import serve

serve(Aws())
