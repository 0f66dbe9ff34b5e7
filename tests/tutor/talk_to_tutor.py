"""Runs in Tutor's environment: prints the tasks of ``tutor ... do init`` as JSON, rendered."""

import json
import os

from tutor import config as tutor_config
from tutor import env, hooks
from tutor.commands import jobs  # noqa: F401 registers the platform's own tasks

root = os.environ["TUTOR_ROOT"]
hooks.Actions.CORE_READY.do()
hooks.Actions.PROJECT_ROOT_READY.do(root)
config = tutor_config.load(root)
tasks = [
    (service, env.render_str(config, script))
    for service, script in hooks.Filters.CLI_DO_INIT_TASKS.iterate()
    if isinstance(script, str)
]
print(json.dumps(tasks))
