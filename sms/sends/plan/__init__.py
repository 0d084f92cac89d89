"""The flight plan: what a send would do, to whom, when, at what cost, and what cannot be known. Nothing is stored.

    build_plan(order, …)   the plan, as one tree; raises `ComposeError` exactly where making the send would
    as_json(plan)    the same as plain JSON, which the API answers and the page is drawn from

Called by the plan page and by `POST /api/v1/sends/plan`.
"""

from sms.sends.plan.build import build_plan
from sms.sends.plan.shapes import Plan, as_json
