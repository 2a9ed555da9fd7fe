"""The tests for each row of issue 12 (idleness, warnings and messages must be true); all of them exist.

Rows 1 to 4 and 7 were reproduced in the sandbox, so a story or a test on the sandbox is among theirs.
"""

from __future__ import annotations

import ast
from functools import cache

import pytest

from tests.paths import PROJECT

USES = "story/test_uses.py::test_a_lab_at_work_is_busy_whatever_the_work_and_is_not_when_it_ends"
NIGHT = "story/test_night.py::test_a_night_takes_what_is_idle_and_allowed_and_nothing_else"
LEASE = "story/test_lease.py::test_a_lab_that_everybody_forgot_goes_with_its_lease_and_so_does_one_whose_owner_nobody_reaches"
SLEEP = "story/test_sleep.py::test_a_lab_sleeps_wakes_and_goes_without_a_trace"
CASES = "domain/idleness/test_work_that_was_ended.py::test_work_of_each_report_is_seen"
FLEETS = "workflows/night/test_fleets.py::test_a_rule_that_is_broken_on_purpose_is_noticed"
WATCHED = "workflows/watch/test_fleets.py::test_a_rule_that_is_broken_on_purpose_is_noticed"
OBSERVATION = "domain/support/test_observation.py::"
GROUPS = "workflows/night/test_groups.py::"

ROWS: dict[int, tuple[str, ...]] = {
    1: (
        USES,
        CASES,
        "domain/idleness/test_false_idle.py::"
        "test_row_1_pods_of_earlier_nights_count_whoever_placed_them_and_whether_kubernetes_answers_or_not",
    ),
    2: (
        USES,
        CASES,
        "aws/idleness/test_kubernetes.py::test_row_2_kedas_autoscaler_waits_at_zero_with_one_replica_at_least",
    ),
    3: (
        USES,
        CASES,
        "aws/idleness/test_reader.py::test_row_3_a_type_that_eks_does_not_tell_is_that_of_the_machines",
        GROUPS + "test_row_3_the_warning_of_a_lab_with_gpu_machines_prices_them_and_not_what_was_asked_for",
        "domain/test_costs.py::test_row_3_machines_are_priced_as_they_were_seen_and_not_as_they_were_asked_for",
    ),
    4: (
        USES,
        CASES,
        "aws/idleness/test_kubernetes.py::test_row_4_a_pod_that_will_finish_is_work_whoever_owns_it",
    ),
    5: (
        USES,
        CASES,
        "domain/idleness/test_work_that_was_ended.py::"
        "test_row_5_one_process_on_one_core_of_two_machines_of_eight_is_work_whatever_went_before",
        "aws/idleness/test_verdicts.py::test_where_there_is_work_the_lab_is_busy",
    ),
    6: (USES, CASES),
    7: (
        NIGHT,
        LEASE,
        "domain/curfew/test_decision.py::test_row_7_a_protected_cluster_is_spared_until_it_has_lasted_as_long_as_any_lab_may",
        GROUPS + "test_row_7_deletion_protection_puts_an_agreed_end_off_by_a_day_and_people_are_told_each_time",
        "workflows/test_teardown.py::test_row_7_a_delete_says_first_that_it_lifts_protection_and_the_receipt_says_so",
    ),
    8: (
        "story/test_lease.py::test_two_labs_of_default_lease_on_an_empty_installation_end_by_themselves",
        "domain/curfew/test_brake.py::test_row_8_agreed_ends_are_neither_counted_nor_held",
        GROUPS + "test_row_8_labs_whose_leases_end_in_one_night_end_however_few_there_are",
        GROUPS + "test_row_8_two_labs_of_default_lease_asked_for_in_one_morning_end_by_themselves",
        GROUPS + "test_row_8_a_learner_with_five_leases_ending_holds_nobodys_curfew",
        FLEETS,
    ),
    9: (
        "domain/core/test_recipients.py::test_row_9_curfew_and_deadline_mails_go_to_the_same_recipient",
        "domain/core/test_recipients.py::test_row_9_a_learner_hears_by_name",
        WATCHED,
    ),
    10: (
        "domain/core/test_recipients.py::test_row_10_everyone_whom_a_tag_names_hears",
        "workflows/watch/test_unheard.py::test_row_10_what_nobody_takes_is_not_sent_and_says_why",
        "workflows/watch/test_unheard.py::test_health_counts_what_reaches_nobody",
        FLEETS,
        WATCHED,
    ),
    11: (
        "domain/notices/test_digest.py::test_row_11_many_clusters_are_split_into_messages_and_none_is_left_out",
        "story/test_support.py::test_faulty_clusters_cost_a_scan_of_many_nothing_of_the_rest",
    ),
    12: (
        "aws/dynamodb/test_labs_contract.py::"
        "test_a_blocked_lab_does_not_use_up_its_owners_limit_until_it_is_tried_again",
    ),
    13: (
        OBSERVATION + "test_row_13_a_date_that_eks_postponed_stays_when_eks_can_not_be_asked",
        "workflows/watch/test_fleets.py::test_row_13_a_date_that_eks_moved_stays_moved_while_it_cant_be_asked",
        WATCHED,
    ),
    14: (
        "domain/notices/test_no_date.py::test_row_14_owner_and_administrators_are_told_weekly",
        "domain/notices/test_no_date.py::test_row_14_it_has_an_entry_in_the_calendar",
        "aws/dynamodb/test_support_contract.py::test_row_14_a_cluster_without_a_known_date_is_first_in_the_list",
    ),
    15: (
        OBSERVATION + "test_row_15_only_an_upgrade_to_the_target_of_aws_may_be_its_own",
        OBSERVATION + "test_row_15_what_it_has_cost_counts_this_clusters_time_in_this_version",
        "domain/notices/test_digest.py::test_row_15_dates_and_dollars_are_of_this_cluster_and_not_of_its_version",
        WATCHED,
    ),
    16: (
        "domain/labs/test_schedule.py::test_row_16_a_curfew_after_midnight_belongs_to_the_evening_before",
        "domain/labs/test_schedule.py::test_row_16_a_waking_is_on_the_morning_of_a_chosen_day",
    ),
    17: (
        "ekslab/commands/test_curfew.py::test_row_17_a_lab_that_ends_at_curfew_is_not_said_to_wake",
        "api/routes/test_keep.py::test_row_17_who_keeps_a_lab_reads_what_comes_next_of_what_will_end_it",
    ),
    18: (
        "domain/notices/test_digest.py::test_row_18_a_labs_owner_is_given_commands_that_they_may_use",
        "ekslab/test_commands_named.py::test_nobody_is_told_a_route_of_the_api",
    ),
    19: (
        OBSERVATION + "test_row_19_a_cluster_that_could_not_be_read_has_the_arn_of_its_partition",
        OBSERVATION + "test_row_19_what_helps_is_said_by_what_aws_said",
        OBSERVATION + "test_row_19_a_date_moved_into_the_past_is_as_loud_to_everyone",
    ),
    20: (
        NIGHT,
        SLEEP,
        "workflows/watch/test_watch_support.py::"
        "test_row_20_a_lab_that_was_upgraded_by_hand_has_the_version_that_eks_tells",
        GROUPS + "test_row_20_a_version_that_somebody_upgraded_to_is_the_labs_from_the_next_look_on",
        "workflows/test_wake.py::test_row_20_what_is_said_of_nodes_is_what_was_seen_of_them",
        "workflows/test_hibernate.py::"
        "test_row_20_a_lab_whose_instances_go_on_running_says_so_and_not_that_it_has_no_nodes",
    ),
}
SEEN_IN_THE_SANDBOX = (1, 2, 3, 4, 5, 6, 7, 8, 11, 20)


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((PROJECT / "tests" / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", range(1, 21))
def test_each_row_is_held_by_tests_that_are_there(row: int) -> None:
    named = [test.partition("::") for test in ROWS[row]]
    assert named
    assert [f"{file}::{name}" for file, _, name in named if name not in names_in(file)] == []


@pytest.mark.parametrize("row", SEEN_IN_THE_SANDBOX)
def test_what_was_seen_in_the_sandbox_is_tried_there(row: int) -> None:
    assert any(test.startswith(("story/", "sandbox/")) for test in ROWS[row])
