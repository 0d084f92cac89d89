"""The rows behind `codes`, one per line: code | kind | state as a receipt | resend | meaning | what a person can do."""

# ruff: noqa: E501  # a row is a row

PROVIDER = """
1001 | accepted | unknown | no | The provider has queued the request. | Wait for the receipt.
1002 | accepted | unknown | no | The provider has queued the event. | Wait for the receipt.
7000 | request | failed | no | The provider could not read the request as JSON. | Report it: this is a fault of ours, not of the message.
7001 | account | failed | later | The provider does not accept our credentials. | Check the service key or JWT secret in Settings, then resume the service.
7002 | account | failed | later | The request carried no service key. | Enter the service key in Settings, then resume the service.
7003 | request | failed | no | A mandatory field is missing. | Fill in the field that the provider names, and send again.
7004 | request | failed | no | A field has a value that the provider does not allow. | Correct the field that the provider names, and send again.
7005 | expired | failed | maybe | The request expired before the provider got to it. | Send again with a longer validity if it still matters.
7006 | platform | failed | later | It failed at the gateway, perhaps only for a moment. | Send again later.
7007 | account | failed | later | The service is not active at the provider. | Make the service live in Webex Connect, then resume it here.
7008 | account | failed | later | The provider's profile for us is not active. | Ask the provider to activate the profile, then resume the service.
7009 | request | failed | no | More destinations than one request may have (1000, and not more than the contracted rate). | Make the batch size of the service smaller.
7010 | account | failed | later | The provider does not accept requests from our address. | Add this machine's public address to the tenant's allow-list, then resume.
7011 | platform | failed | maybe | The provider met an error that it does not name. | Send again later; ask its support if it repeats.
7016 | platform | failed | maybe | The provider met an error that it does not name. | Send again later; ask its support if it repeats.
7019 | expired | failed | maybe | The request expired. | Send again with a longer validity if it still matters.
7020 | rate | failed | later | More requests than the contracted rate. | Nothing to do: we slow down by ourselves. If it lasts, check the rate in Settings.
7022 | request | failed | no | The request is larger than the provider takes. | Make the batch size of the service smaller.
7101 | sender | failed | no | The sender is not valid for this account, or not authorised at the operator. | Check that the sender is registered and allowed for this country.
7102 | recipient | failed | no | The number is not a valid address. | Correct the number: country code first, all its digits.
7103 | account | failed | later | The account has not enough credit. | Top up the account at the provider, then resume the service.
7104 | request | failed | no | The app id is not valid. | Report it: SMS needs no app id.
7105 | account | failed | later | The provider finds no customer profile for us. | Ask the provider about the account, then resume the service.
7106 | account | failed | later | SMS is not configured for this account. | Have the SMS channel configured at the provider, then resume the service.
7107 | content | failed | no | The text is longer than the provider takes. | Shorten the text, and mind what the placeholders add.
7108 | request | failed | no | The provider does not know the template. | Check the provider's template id in Templates.
7109 | recipient | failed | no | The person is on a do-not-disturb list. | Do not send again; use another way of contact.
7110 | recipient | failed | no | The user is not active. | Check the number with the person.
7111 | content | failed | no | Blocked as spam: speed, content or a banned link shortener. | Change the text, use a domain of your own for links, and slow down.
7112 | request | failed | no | The type of message is not valid. | Report it: we send text and unicode only.
7113 | policy | failed | later | Outside the hours in which messages are allowed. | Send again inside the allowed hours.
7114 | account | failed | later | The account is configured wrongly at the provider. | Ask the provider's support, then resume the service.
7115 | account | failed | later | No rate plan is defined for the account. | Ask the provider to define one, then resume the service.
7116 | recipient | failed | no | The destination's profile is not verified. | Have the number verified at the provider.
7121 | content | failed | no | Values for the template's placeholders could not be found. | Give every placeholder a value, and send again.
7126 | request | failed | no | The type of content is not valid. | Report it: we send text and unicode only.
7127 | account | failed | later | The provider does not accept requests from our address. | Add this machine's public address to the tenant's allow-list, then resume.
7200 | unknown | unknown | unknown | The provider does not know the status. | Wait for another receipt, or ask the person.
7201 | operator | failed | later | The operator refused it for a reason of its network, often passing. | Send again later.
7202 | platform | failed | later | It failed on the provider's platform. | Send again later.
7203 | recipient | failed | no | The operator does not know the number. | Check the number with the person.
7204 | recipient | failed | later | The person has no credit to receive with. | Send again another day.
7205 | content | failed | no | The binary form of the message is wrong. | Report it: we send text and unicode only.
7206 | recipient | failed | later | The phone's memory for messages is full. | Send again another day.
7207 | recipient | failed | later | The phone was out of coverage. | Send again later.
7208 | expired | failed | maybe | It expired: the phone was off or away for the whole validity. | Send again if it still matters.
7209 | operator | failed | maybe | A part could not be delivered, so all parts count as failed. The person may have seen some. | Send again, shorter, if it still matters.
7210 | operator | failed | no | Billing is not configured for this. | Ask the provider's support.
7211 | operator | failed | maybe | The operator met a billing error. | Send again later; ask the provider's support if it repeats.
7212 | request | failed | no | The registration is not valid. | Report it: SMS needs no registration.
7213 | recipient | failed | no | The destination is not registered. | Check the number with the person.
7214 | platform | failed | maybe | A failure of another cloud service. | Send again later.
7280 | operator | failed | no | The operator deleted the message. | Ask the provider's support why.
7281 | sender | failed | no | The 10DLC campaign is missing or not approved. | Register the campaign for this sender first.
7282 | recipient | failed | no | No route: a landline, or a network that takes no SMS. | Use a mobile number.
7283 | recipient | failed | no | No valid operator: often a landline. | Use a mobile number.
7284 | operator | failed | no | The operator took it for a duplicate. | Do not send again; the person may have the first one.
7301 | expired | failed | maybe | The message expired. | Send again if it still matters.
7302 | rate | failed | later | Over the rate of the sender, campaign or operator. | Send again later and slower.
7303 | expired | unknown | unknown | The delivery report expired: it is not known whether it arrived. | Ask the person before sending again.
7500 | delivered | delivered | no | Delivered; the handset confirmed it. | Nothing to do.
7501 | accepted | submitted | no | Handed to the operator. | Wait for the next receipt.
7502 | delivered | delivered | no | The person has read it. | Nothing to do.
7503 | expired | failed | maybe | It expired before it was tried. | Send again with a longer validity if it still matters.
7513 | recipient | failed | later | The phone is unregistered or busy, or its inbox is full. | Send again another day.
7518 | unknown | failed | no | The operator does not know; it may have arrived. | Do not send again; ask the person.
7528 | clicked | clicked | no | A short link was opened. | Nothing to do.
7600 | request | unknown | no | The provider found no results. | Check the id that was asked for.
7601 | request | unknown | no | The transaction belongs to another service, or could not be verified. | Check which service sent it.
7607 | operator | failed | no | The operator does not take this type of message. | Use plain text, or another sender.
7720 | recipient | failed | no | The person has blocked messages from this sender. | Record an opt-out; do not send again.
8000 | request | failed | no | The provider refused a value. | Correct the field that the provider names, and send again.
8009 | request | failed | no | The profile does not exist for this tenant. | Ask the provider's support.
9000 | policy | failed | no | Contact Policy is not enabled for the account. | Ask the provider to enable it, or send without a policy group.
9001 | policy | failed | no | Inputs for the contact policy are missing. | Check the policy group and its two checks.
9002 | policy | failed | no | The person has not consented. | Do not send again without consent.
9003 | policy | failed | no | The person is not in the consent group. | Add the person to the group, with consent.
9004 | policy | failed | later | The contact-policy service could not be reached. | Send again later.
9005 | policy | failed | no | The policy group or channel is wrong. | Check the group's id in Settings.
9006 | policy | failed | later | The person has had as many messages as the cap allows. | Send again when the cap's period is over.
9007 | policy | failed | no | The frequency-cap group was not found. | Check the group's id in Settings.
9008 | policy | failed | no | The contact policy did not allow it, for a reason the documents leave open. | Check the person's consent and the group.
9009 | policy | failed | no | The contact policy did not allow it, for a reason the documents leave open. | Check the person's consent and the group.
9010 | policy | failed | no | The person's consent has expired. | Ask for consent again first.
20001 | accepted | unknown | no | The contact policy allows it, and has counted it. | Nothing to do.
20002 | policy | failed | no | The person has not consented. | Do not send again without consent.
20003 | policy | failed | no | The person is not in the consent group. | Add the person to the group, with consent.
20004 | policy | failed | later | The contact-policy service could not be reached. | Send again later.
20005 | policy | failed | no | The policy group or channel is wrong. | Check the group's id in Settings.
20006 | accepted | unknown | no | The contact policy allows it. | Nothing to do.
20007 | policy | failed | later | The person has had as many messages as the cap allows. | Send again when the cap's period is over.
20008 | policy | failed | no | The policy group was not found. | Check the group's id in Settings.
20010 | accepted | unknown | no | The contact policy allows it, without counting against the cap. | Nothing to do.
20012 | policy | failed | no | The person's consent has expired. | Ask for consent again first.
"""

# Ours, in lower case so that they can never be taken for the provider's.
OURS = """
wire | request | failed | no | The message breaks a rule of the provider; nothing was sent. | Correct the field that the detail names, and send again.
connect | platform | failed | later | We could not reach the provider; nothing was sent. | Nothing to do: we try again by ourselves.
too_late | platform | failed | later | Time was up before the request left; nothing was sent. | Nothing to do: we try again by ourselves.
timeout | unknown | unknown | unknown | The provider did not answer in time; it may have been sent. | Wait for a receipt, or decide on the message's page.
cut_off | unknown | unknown | unknown | The connection broke before the answer; it may have been sent. | Wait for a receipt, or decide on the message's page.
unreadable | unknown | unknown | unknown | The provider accepted it in words we cannot read; it may have been sent. | Wait for a receipt, or decide on the message's page.
too_large | unknown | unknown | unknown | The provider's answer was longer than we read; it may have been sent. | Wait for a receipt, or decide on the message's page.
partial | unknown | unknown | unknown | The provider accepted only some of the batch. | Receipts will show which.
odd_status | unknown | unknown | unknown | The provider answered with a status that its documents do not name. | Wait for a receipt, or decide on the message's page.
rejected | request | failed | no | The provider answered that it rejected the message. | Look at the provider's words beside it.
given_up | unknown | failed | unknown | It was not confirmed, and a person gave it up; it may have been sent. | If a receipt says that it was delivered, the page will say so too.
opted_out | policy | failed | no | The person opted out before it was posted; nothing was sent. | Leave the number out from now on.
redirect | request | failed | no | The provider's address sent us elsewhere; we do not follow. | Check the base URL in Settings.
http_400 | request | failed | no | The provider refused the request without a code. | Look at the provider's words beside it.
http_401 | account | failed | later | The provider does not accept our credentials. | Check the service key or JWT secret in Settings, then resume the service.
http_403 | account | failed | later | The account is unknown or over its quota, or our address is not allowed. | Ask the provider about the account, then resume the service.
http_404 | account | failed | later | The address we call does not exist. | Check the region and base URL in Settings, then resume the service.
http_405 | account | failed | later | The address we call does not take messages. | Check the region and base URL in Settings, then resume the service.
http_409 | request | failed | no | The provider sees a conflict that its documents do not explain. | Look at the provider's words beside it.
http_413 | request | failed | no | The request is larger than the provider takes. | Make the batch size of the service smaller.
http_429 | rate | failed | later | More requests than the contracted rate. | Nothing to do: we slow down by ourselves.
http_500 | unknown | unknown | unknown | The provider had trouble; it may have been sent. | Wait for a receipt, or decide on the message's page.
http_502 | unknown | unknown | unknown | A gateway of the provider had trouble; it may have been sent. | Wait for a receipt, or decide on the message's page.
http_503 | unknown | unknown | unknown | The provider was not available; it may have been sent. | Wait for a receipt, or decide on the message's page.
http_504 | unknown | unknown | unknown | A gateway of the provider had no answer; it may have been sent. | Wait for a receipt, or decide on the message's page.
"""
