"""Grades, what they are made of, and the yearly cycle."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Max, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm.actions.changes import EditedMeanwhile
from crm.api import streaming
from crm.api.pagination import Column
from crm.api.resources import Changeable
from crm.api.sync import Synced
from crm.api.sync_windows import Window
from crm.api.views import require_own_line
from crm.models import User, Way
from crm.permissions import Permission
from grading.actions import assessments as assessment_actions
from grading.actions import cycles as cycle_actions
from grading.actions import runs as run_actions
from grading.actions import verdicts
from grading.api import feeds, rows, serializers, shown
from grading.cycle_lists import policies_seen_by
from grading.filters import AssessmentFilter, CycleFilter, GradeFilter, PastGradeFilter, PolicyFilter
from grading.models import Assessment, Cycle, Grade, GradeRecord, GradingPolicy, GradingRun

READ_GRADES = ("read", "grades:read")


class GradeViewSet(Synced):
    """The published grades of the customer lines you see; of the fiscal year in effect unless told."""

    queryset = Grade.objects.all()
    serializer_class = serializers.GradeSerializer
    filterset_class = GradeFilter
    permissions = {
        "list": Permission.VIEW_GRADES,
        "retrieve": Permission.VIEW_GRADES,
        "preview": Permission.PREVIEW_GRADE,
    }
    scopes = {"list": READ_GRADES, "retrieve": READ_GRADES, "preview": READ_GRADES}
    feed = feeds.GRADES
    is_past = False  # as of a day: records are listed, not grades

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.is_past = self.action == "list" and bool(request.query_params.get("as_of"))
        if self.is_past:
            self.filterset_class = PastGradeFilter

    def get_queryset(self) -> QuerySet:
        if self.is_past:
            return GradeRecord.objects.visible_to(self.person).for_list()
        return super().get_queryset().filter(record__isnull=False)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        refuse_following_the_past(request)
        return super().list(request, *args, **kwargs)

    def represent(self, records: Sequence[Any]) -> Sequence[Any]:
        return rows.shown_page(records) if isinstance(next(iter(records), None), rows.Row) else shown.grades(records)

    def read(self, found: QuerySet, column: Column) -> Sequence[Any]:
        return super().read(found, column) if self.is_past else rows.page(found, column)

    def records(self, found: QuerySet) -> streaming.Records:
        if self.is_past:
            return streaming.SerializedRecords(found, self.represent, shown.COLUMNS, shown.flat)
        return rows.GradeRows(found)

    def followed(self) -> QuerySet:
        return Grade.objects.recorded().filter(fiscal_year__in=Cycle.objects.visible_grades().values("fiscal_year"))

    def edition(self) -> str:
        return feeds.year_in_effect() if "fiscal_year" not in self.request.query_params else ""

    def changed_besides(self, window: Window) -> Iterator[QuerySet]:
        return feeds.changed_grades(window)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(shown.grades([self.get_object()])[0])

    @extend_schema(request=serializers.PreviewSerializer, responses=serializers.GradeSerializer)
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Grade facts by the policy in force; nothing is stored, no customer is needed."""
        sent = serializers.PreviewSerializer(data=request.data, context=self.get_serializer_context())
        sent.is_valid(raise_exception=True)
        year, as_of = sent.validated_data["fiscal_year"], sent.validated_data.get("as_of")
        explanation = verdicts.preview(facts=sent.facts(), fiscal_year=year, as_of=as_of)
        policy = GradingPolicy.objects.for_list().get(number=explanation.policy_number).as_rules()
        return Response(shown.previewed(explanation, fiscal_year=year, policy=policy))


class AssessmentViewSet(Changeable, Synced):
    """Assessments: a customer line's inputs for a fiscal year."""

    queryset = Assessment.objects.all()
    serializer_class = serializers.AssessmentSerializer
    filterset_class = AssessmentFilter
    permissions = {
        "list": Permission.VIEW_GRADES,
        "retrieve": Permission.VIEW_GRADES,
        "create": Permission.SAVE_ASSESSMENT,
        "partial_update": Permission.SAVE_ASSESSMENT,
    }
    scopes = {"create": ("assessments:write", "write"), "partial_update": ("assessments:write", "write")}
    refusals = {run_actions.CycleClosed: 409}
    feed = feeds.ASSESSMENTS

    def changed_besides(self, window: Window) -> Iterator[QuerySet]:
        return feeds.carried_over(window)

    def save(self, serializer: serializers.AssessmentSerializer) -> Assessment:
        record = serializer.record
        require_own_line(record.line, self.person)
        try:
            assessment_actions.save_assessment(
                assessment=record, version=serializer.read_version, by=self.person, way=Way.API
            )
        except EditedMeanwhile:
            if serializer.instance is None:
                record.validate_constraints()  # who added it in the same moment gets the answer of who comes later
            raise
        return record


class PolicyViewSet(Synced):
    """Versions of the grading policy, by number; drafts only for those who edit them."""

    queryset = GradingPolicy.objects.all()
    serializer_class = serializers.PolicySerializer
    filterset_class = PolicyFilter
    default_ordering = "-number"
    lookup_url_kwarg = "number"
    permissions = {"list": Permission.VIEW_POLICIES, "retrieve": Permission.VIEW_POLICIES}
    scopes = {"list": READ_GRADES, "retrieve": READ_GRADES}
    feed = feeds.POLICIES

    def followed(self) -> QuerySet:
        return self.get_queryset()

    def changed_besides(self, window: Window) -> Iterator[QuerySet]:
        return feeds.edited_drafts(window)

    def get_queryset(self) -> QuerySet:
        return policies_seen_by(self.person).for_list()

    def get_object(self) -> GradingPolicy:
        return get_object_or_404(self.get_queryset(), number=self.kwargs["number"])


class CycleViewSet(Synced):
    """The yearly grading cycles: draft, open, published, closed."""

    queryset = Cycle.objects.all()
    serializer_class = serializers.CycleSerializer
    filterset_class = CycleFilter
    default_ordering = "-fiscal_year"
    permissions = {
        "list": Permission.VIEW_CYCLES,
        "retrieve": Permission.VIEW_CYCLES,
        "open": Permission.OPEN_CYCLE,
        "start_run": Permission.START_RUN,
        "publish": Permission.PUBLISH_CYCLE,
    }
    scopes = {"list": READ_GRADES, "retrieve": READ_GRADES}
    refusals = {
        cycle_actions.WrongCycleState: 409,
        run_actions.RunUnderWay: 409,
        run_actions.CycleClosed: 409,
    }
    feed = feeds.CYCLES

    def changed_besides(self, window: Window) -> Iterator[QuerySet]:
        return feeds.cycles_with_runs(self.person)

    def get_queryset(self) -> QuerySet:
        return self.queryset.all()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "runs": latest_runs(self.person)}

    @extend_schema(request=serializers.NothingSerializer)
    @action(detail=True, methods=["post"])
    def open(self, request: Request, pk: str) -> Response:
        """Open a draft cycle: each customer line gets its assessment of the year."""
        cycle_actions.open_cycle(cycle=self.get_object(), by=self.person, way=Way.API)
        return self.shown()

    @extend_schema(request=serializers.StartRunSerializer, responses={202: serializers.CycleSerializer})
    @action(detail=True, methods=["post"], url_path="start-run", url_name="start-run")
    def start_run(self, request: Request, pk: str) -> Response:
        """Start a grading run, or join the one under way; it works in the background."""
        sent = serializers.StartRunSerializer(data=request.data, context={"request": request})
        sent.is_valid(raise_exception=True)
        run_actions.start_run(
            cycle=self.get_object(),
            by=self.person,
            as_of=sent.validated_data.get("as_of"),
            product_line=sent.validated_data.get("line"),
            region=sent.validated_data.get("region"),
        )
        return self.shown(202)

    @extend_schema(request=serializers.NothingSerializer, responses={202: serializers.CycleSerializer})
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Publish an open cycle: a last run, at whose end its grades are visible to everyone in scope."""
        cycle_actions.publish_cycle(cycle=self.get_object(), by=self.person)
        return self.shown(202)

    def shown(self, status: int = 200) -> Response:
        """The cycle as it stands now."""
        return Response(self.get_serializer(self.get_object()).data, status=status)


def refuse_following_the_past(request: Request) -> None:
    """Raise where both are asked for: what was known on a day does not change any more."""
    if {"as_of", "changed_since"} <= request.query_params.keys():
        sentence = _("What was known on a day does not change. Ask for one of both.")
        raise ValidationError({"as_of": [ErrorDetail(sentence, "not_with_changed_since")]})


def latest_runs(user: User) -> dict[int, GradingRun]:
    """The latest run of each cycle, for those who see every region: a run counts all customers."""
    if not user.sees_all_regions:
        return {}
    newest = GradingRun.objects.order_by().values("cycle").annotate(newest=Max("pk")).values("newest")
    runs = GradingRun.objects.select_related("job", "policy", "product_line", "region").filter(pk__in=newest)
    return {run.cycle_id: run for run in runs}


ROUTES = (
    ("grades", GradeViewSet),
    ("assessments", AssessmentViewSet),
    ("policies", PolicyViewSet),
    ("cycles", CycleViewSet),
)
