"""Opt-outs: listed, found, added and lifted through `sms.inbound.optouts`. Numbers stand in bodies, never in an address.

A refusal is in force for the whole service, so every key that may read opt-outs can ask about a number. Where from and why it was
recorded is for those who may know of it: the key that recorded it, or whose send it answered. Nobody else lifts it.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1 import access
from sms.api.v1.bodies import LiftBody, Moment, OptOutBody, SearchBody
from sms.api.v1.filters import OptOutFilter
from sms.api.v1.messages import read_number
from sms.api.v1.problems import ApiProblem, conflict
from sms.api.v1.resource import Collection, described, once, searched
from sms.api.v1.sparse import Answer, Number, Remark, SparseModel
from sms.inbound import optouts
from sms.models import OptOut
from sms.values import msisdn
from sms.values.msisdn.mention import masked
from sms.values.problems import Problem, ProblemCode


class OptOutShape(SparseModel):
    """A person's refusal. It is in force while `lifted_at` is null.

    Of one that others recorded, a key without the scope `all` learns that it is there: `evidence`, `send` and `lifted_reason` are null.
    """

    number = Number(source="msisdn")
    evidence = serializers.SerializerMethodField(
        help_text="How it is known. What a person wrote is null unless the key has the scope `texts`."
    )
    lifted_reason = Remark(source="lifted_because", read_only=True, allow_null=True)
    created_at = Moment(source="at", read_only=True)
    source = serializers.ChoiceField(choices=OptOut.Source.values)  # type: ignore[assignment]

    class Meta:
        model = OptOut
        fields = (
            *("id", "number", "source", "evidence", "send", "created_at", "lifted_at", "lifted_reason"),
        )

    def to_representation(self, instance: OptOut) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        if not access.key_of(self.context["request"]).knows_of(instance.owner):
            shown |= dict.fromkeys(shown.keys() & {"evidence", "send", "lifted_reason"})
        return shown

    @extend_schema_field({"type": ["string", "null"]})
    def get_evidence(self, found: OptOut) -> str | None:
        if found.source == OptOut.Source.INBOUND and not self.context.get("texts"):
            return None
        return found.evidence if self.context.get("numbers") else masked(found.evidence)


class OptedOutShape(Answer):
    """What recording refusals did."""

    added = serializers.IntegerField()
    already = serializers.IntegerField(help_text="Were opted out before.")


class LiftedShape(Answer):
    """What lifting refusals did."""

    lifted = serializers.IntegerField()


@described(
    "opt_outs",
    "opt-outs, newest first",
    "opt-out",
    listed="Lifted ones too, unless `in_force=true`. With the scope `all` those of others, too.",
    read="With its ETag, to notice that it was lifted.",
)
class OptOuts(Collection):
    serializer_class = OptOutShape
    filterset_class = OptOutFilter
    queryset = OptOut.objects.all()
    scope = "optouts"
    scopes: ClassVar[dict[str, str]] = dict.fromkeys(("list", "retrieve", "search"), "optouts_read")

    @searched("opt_outs_search", "Find opt-outs by number", OptOutShape)
    def search(self, request: Request) -> Response:
        """Of everybody, since a refusal is in force for all. A POST, so that no number stands in an address."""
        body = self.read(SearchBody)
        number = read_number(body["number"], country=self.service.default_country)
        rows = OptOut.objects.filter(service=self.service, msisdn=number)
        found = self.paginator.after(rows, body.get("cursor", ""), body["limit"])
        return self.paged(found)

    @once("opt_outs_add", "Record refusals", OptOutBody, {201: OptedOutShape})
    def create(self, body: dict[str, Any]) -> Response:
        """From its answer on nothing is sent to these numbers. One bad number, and nothing is recorded."""
        access.only_live(self.request)
        refusals = [optouts.Refusal(number, body["evidence"]) for number in self._numbers(body)]
        added = optouts.opt_out(self.service.pk, refusals, by=self.by, source=OptOut.Source.API)
        already = len({one.msisdn for one in refusals}) - len(added)
        return Response(OptedOutShape({"added": len(added), "already": already}).data, status=201)

    @once("opt_outs_lift", "Lift opt-outs", LiftBody, LiftedShape)
    def lift(self, body: dict[str, Any]) -> Response:
        """Only for people who asked for it. What was left out until then is not sent any more.

        409, and nothing is lifted, where one was recorded by others: that takes the scope `all`."""
        access.only_live(self.request)
        numbers, key = self._numbers(body), access.key_of(self.request)
        kept = [] if key.sees_all else optouts.of_others(self.service.pk, numbers, owner=key.identity)
        if kept:
            row = numbers.index(kept[0]) + 1
            says = "Others recorded this refusal. A person lifts it under Opt-outs, or a key with the scope “all”."
            raise conflict(Problem(ProblemCode.NOT_USABLE, f"numbers[{row - 1}]", says, row))
        lifted = optouts.opt_in(self.service.pk, numbers, by=self.by, reason=body["reason"])
        return Response(LiftedShape({"lifted": lifted}).data)

    def _numbers(self, body: dict[str, Any]) -> Sequence[str]:
        """E.164, or a problem that names every row that cannot be read."""
        found, wrong = [], []
        for place, written in enumerate(body["numbers"]):
            try:
                found.append(msisdn.certain(written, country=self.service.default_country))
            except msisdn.BadNumber as bad:
                wrong.append(Problem(bad.code, f"numbers[{place}]", str(bad), place + 1))
        if wrong:
            raise ApiProblem(400, "invalid", f"Row {wrong[0].row}: {wrong[0].text}", problems=wrong)
        return found
