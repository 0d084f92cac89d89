"""`manage.py probe`: the tenant probe at a terminal. It is the same run as on the page; either goes on where the other was left."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.catalogue import tenant_probe
from sms.management.arguments import number_of, service_of, typed_number
from sms.models import MOST_MESSAGES, Actor, ProbeStep, Service, TenantProbe

LEAVE, SKIP = "q", "s"


class Command(BaseCommand):
    help = "Find out with a phone in hand what Webex Connect does where its documents are silent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", required=True, metavar="SLUG")
        parser.add_argument("--sender", metavar="ADDRESS", help="the default sender if left out")
        parser.add_argument(
            "--domain", metavar="HOST", help="short-link domain, for the question about links"
        )
        parser.add_argument("--smartlink", type=int, metavar="ID", help="for the question about smartlinks")
        parser.add_argument("--status", action="store_true", help="show what is known, and send nothing")
        parser.add_argument("--end", action="store_true", help="end the run that is under way")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = service_of(options["service"]).slug
        service = Service.objects.select_related("region").get(slug=slug)
        by = Actor.system("cli")
        probe = tenant_probe.open_probe(service)
        if options["status"]:
            self._status(service)
        elif options["end"]:
            if probe is None:
                raise CommandError("No tenant probe is under way.")
            tenant_probe.end(probe, by=by)
            self.stdout.write("Ended. The number is forgotten; what was found stays.")
        else:
            self._guide(probe or self._begin(service, options, by), by)

    def _status(self, service: Service) -> None:
        for one in tenant_probe.standing(service):
            proof = "assumed"
            if one.finding:
                proof = f"proved {one.finding.at:%Y-%m-%d %H:%M} UTC by {one.finding.by}: {one.found}"
            self.stdout.write(f"{one.doubt.title}: {one.in_use} ({proof})")

    def _begin(self, service: Service, options: dict[str, Any], by: Actor) -> TenantProbe:
        senders = service.senders.filter(active=True)
        sender = senders.filter(address=options["sender"]).first() if options["sender"] else senders.first()
        if sender is None:
            raise CommandError("There is no such sender. Name one of the catalogue with --sender.")
        domain = service.link_domains.filter(active=True, host=options["domain"] or "").first()
        if options["domain"] and domain is None:
            raise CommandError(f"There is no short-link domain {options['domain']}.")
        smartlink = service.smartlinks.filter(active=True, smartlink_id=options["smartlink"] or 0).first()
        if options["smartlink"] and smartlink is None:
            raise CommandError(f"There is no smartlink {options['smartlink']}.")
        self.stdout.write(
            f"All questions together cost up to {tenant_probe.MESSAGES} messages with {tenant_probe.SEGMENTS} segments. "
            "Nothing is sent before you say so."
        )
        number = number_of(typed_number(), service)
        try:
            return tenant_probe.start(
                service, msisdn=number, sender=sender, link_domain=domain, smartlink=smartlink, by=by
            )
        except tenant_probe.ProbeError as problem:
            raise CommandError(str(problem)) from None

    def _guide(self, probe: TenantProbe, by: Actor) -> None:
        """Question after question; what is left waits for another time."""
        for pk in list(probe.steps.values_list("pk", flat=True)):
            while self._step(pk, by):
                pass
        self.stdout.write(
            "These were all questions. End with --end, or ask again what you left out on the page."
        )

    def _step(self, pk: int, by: Actor) -> bool:
        """One question; True where it goes on."""
        step = ProbeStep.objects.select_related("probe__service__region").get(pk=pk)
        question = tenant_probe.QUESTIONS[step.question]
        if step.state == ProbeStep.State.OPEN:
            spent = tenant_probe.spent(step.probe)
            self.stdout.write(f"\n{question.title}\n{step.says or question.why}")
            if why := tenant_probe.why_not(step, spent=spent):
                self.stdout.write(why)
                return False
            if question.before:
                self.stdout.write(str(question.before))
            cost = (
                f"{question.messages} messages, {question.segments} segments; {spent} of {MOST_MESSAGES} sent"
            )
            said = self._read(
                f"Send ({cost})? y = yes, {SKIP} = leave out, {LEAVE} = stop here: ", ("y", SKIP)
            )
            if said == SKIP:
                tenant_probe.skip(step, by=by)
                return False
            step = tenant_probe.ask(step.pk, by=by, public_url=settings.PUBLIC_URL)
        if step.state == ProbeStep.State.POSTED:
            self.stdout.write(str(question.look))
            for number, choice in enumerate(question.choices, 1):
                self.stdout.write(f"  {number}  {choice.words}")
            keys = [str(number) for number in range(1, len(question.choices) + 1)]
            said = self._read(f"What do you see? {SKIP} = leave out, {LEAVE} = stop here: ", (*keys, SKIP))
            if said == SKIP:
                tenant_probe.skip(step, by=by)
                return False
            step = tenant_probe.answer(step, question.choices[int(said) - 1].key, by=by)
        self.stdout.write(step.says)
        return step.state == ProbeStep.State.OPEN

    def _read(self, words: str, allowed: tuple[str, ...]) -> str:
        while True:
            try:
                said = input(words).strip().lower()
            except EOFError:
                said = LEAVE
            if said == LEAVE:
                raise CommandError("Stopped. The same command goes on from here.")
            if said in allowed:
                return said
