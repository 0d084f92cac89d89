"""Our own resources for partner systems at `/api/v1/`: thin views over `sms.compose`, `sms.sends.control`,
`sms.inbound.optouts` and `sms.callbacks`.

problems   every error as problem+json        resource   what all views share: key, scope, ETag, parameters
paging     keyset cursors                     sparse     `?fields=`
bodies     what is sent to us, a send's in `send_body`   schema     OpenAPI: parameters, errors and examples of every operation
sends · messages · catalogue · opt_outs · callbacks · reports   the resources
"""
