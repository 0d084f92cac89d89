"""Opt-outs: listed, found, added and lifted through `sms.inbound.optouts`. Numbers stand in bodies, never in an address."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sms.api.v1 import access
from sms.api.v1.bodies import LiftBody, OptOutBody, SearchBody
from sms.api.v1.filters import OptOutFilter
from sms.api.v1.messages import read_number
from sms.api.v1.problems import ApiProblem
from sms.api.v1.resource import Collection, described, once, searched
from sms.api.v1.sparse import Number, Remark, SparseModel
from sms.inbound import optouts
from sms.models import OptOut
from sms.values import msisdn
from sms.values.problems import Problem


class OptOutShape(SparseModel):
    """A person's refusal. It is in force while `lifted_at` is null."""

    number = Number(source="msisdn")
    evidence = Remark(read_only=True)
    lifted_because = Remark(read_only=True)
    source = serializers.ChoiceField(choices=OptOut.Source.values)  # type: ignore[assignment]

    class Meta:
        model = OptOut
        fields = (*("id", "number", "source", "evidence", "send", "at", "lifted_at", "lifted_because"),)


class OptedOutShape(serializers.Serializer[Any]):
    """What recording refusals did."""

    added = serializers.IntegerField()
    already = serializers.IntegerField(help_text="Were opted out before.")


class LiftedShape(serializers.Serializer[Any]):
    """What lifting refusals did."""

    lifted = serializers.IntegerField()


@described(
    "opt_outs",
    "opt-outs, newest first",
    "opt-out",
    listed="Lifted ones too, unless `in_force=true`.",
    read="With its ETag, to notice that it was lifted.",
)
class OptOuts(Collection):
    serializer_class = OptOutShape
    filterset_class = OptOutFilter
    queryset = OptOut.objects.all()
    scope = "optouts"

    @searched("opt_outs_search", "Find opt-outs by number", OptOutShape)
    def search(self, request: Request) -> Response:
        """A POST, so that no number stands in an address."""
        body = self.read(SearchBody)
        number = read_number(body["number"], country=self.service.default_country)
        found = self.paginator.after(self.rows().filter(msisdn=number), body.get("cursor", ""), body["limit"])
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
        """Only for people who asked for it. What was left out until then is not sent any more."""
        access.only_live(self.request)
        numbers = self._numbers(body)
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
