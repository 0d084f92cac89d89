"""The eight regions of the provider's table, with the DNS targets of their short-link domains. Editable afterwards."""

from django.db import migrations

# key, name, API host, host documented, CNAME, A record
REGIONS = (
    ("ca", "AWS Canada", "api.ca.webexconnect.io", True, "star-1176184099.ca-central-1.elb.amazonaws.com", None),
    ("eu", "AWS Ireland", "api.eu.webexconnect.io", True, "star-1747495833.eu-west-1.elb.amazonaws.com", None),
    ("uk", "AWS London", "api.uk.webexconnect.io", True, "star-1656037958.eu-west-2.elb.amazonaws.com", None),
    ("us", "AWS Oregon", "api.us.webexconnect.io", True, "star-1571873968.us-west-2.elb.amazonaws.com", None),
    ("us1", "Azure (US)", "api.us1.webexconnect.io", True, "", "52.138.107.55"),
    ("in", "AWS Mumbai", "api.in.webexconnect.io", True, "star-64546195.ap-south-1.elb.amazonaws.com", None),
    ("au", "AWS Sydney", "api.au.webexconnect.io", True, "star-131871454.ap-southeast-2.elb.amazonaws.com", None),
    ("sg", "AWS Singapore", "api.sg.webexconnect.io", False, "star-581943434.ap-southeast-1.elb.amazonaws.com", None),
)


def add(apps, schema_editor):
    region = apps.get_model("sms", "Region")
    for key, name, host, documented, cname, address in REGIONS:
        region.objects.get_or_create(
            key=key,
            defaults={"name": name, "host": host, "host_documented": documented, "cname": cname, "a_record": address},
        )


def remove(apps, schema_editor):
    apps.get_model("sms", "Region").objects.filter(key__in=[row[0] for row in REGIONS]).delete()


class Migration(migrations.Migration):
    dependencies = [("sms", "0001_initial")]
    operations = [migrations.RunPython(add, remove)]
