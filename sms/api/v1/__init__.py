"""Our own resources for partner systems at `/api/v1/`: thin views over `sms.compose`, `sms.sends.control`,
`sms.inbound.optouts` and `sms.callbacks`.

sends · messages · audiences · catalogue · opt_outs · callbacks · reports   the resources with what each shows
bodies     what is sent to us, how JSON is read; a send in `send_body`
resource   what all views share: key, scope, ETag, parameters, acts done once
problems   every error as problem+json
paging     keyset cursors
sparse     `?fields=`
schema     OpenAPI: parameters, errors and `examples` of every operation
"""
