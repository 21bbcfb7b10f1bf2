"""Grading's pages."""

from django.urls import path

from grading.views import assessments, board, cycles, grid, policies, runs

app_name = "grading"

urlpatterns = [
    path("board/", board.view_board, name="view-board"),
    path("assessments/", cycles.list_assessments, name="list-assessments"),
    path("assessments/<int:pk>/", assessments.save_assessment, name="save-assessment"),
    path("lines/<int:pk>/assess/<int:year>/", assessments.assess_line, name="assess-line"),
    path("lines/<int:pk>/preview/<int:year>/", assessments.preview_assessment, name="preview-assessment"),
    path("cycles/", cycles.list_cycles, name="list-cycles"),
    path("cycles/<int:year>/", cycles.view_cycle, name="view-cycle"),
    path("cycles/<int:year>/grades/", cycles.list_cycle_grades, name="list-cycle-grades"),
    path("cycles/<int:year>/grid/", grid.edit_grid, name="edit-grid"),
    path("cycles/<int:year>/open/", cycles.open_cycle, name="open-cycle"),
    path("cycles/<int:year>/run/", runs.start_run, name="start-run"),
    path("cycles/<int:year>/publish/", cycles.publish_cycle, name="publish-cycle"),
    path("runs/<int:pk>/", runs.view_run_progress, name="view-run-progress"),
    path("runs/<int:pk>/cancel/", runs.cancel_run, name="cancel-run"),
    path("policies/", policies.list_policies, name="list-policies"),
    path("policies/<int:number>/", policies.view_policy, name="view-policy"),
]
